import TestSupport
import Testing

@testable import Manager

@Suite struct PieceHashTests {
  private func hash(_ bytes: some Collection<UInt8>) -> String {
    unsafe Array(bytes).withUnsafeBytes { unsafe PieceHash.text(of: $0) }
  }

  /// Values of Python's hashlib by the definition: SHA-256 of "vbert-pieces-1 LENGTH\n" and the pieces'
  /// SHA-256.
  @Test(arguments: [
    (0, "cec960ea7a24915821f3db2464fc70673985aace2be47b7265ea2709a3bed75a"),
    (1, "2f883dbf96437766a51b7e16ce752f535eb5338ca7dcbe73f1d9bc764647f540"),
    (1 << 20, "f6b3fc87f099ee6a7c2aa4faeab89b54ea1a584b35598d9752b44e6669520363"),
    (1 << 20 + 1, "9e7d0fc82ece57c0a8a31d219f165c4d535f5b7f0daf1e7931928846fad011fe"),
    (5 << 20 - 3, "d4a4c1b9a3985e4d853c0430437e9c56ede8aedb9a70711a4355087b302ef74b"),
  ])
  func isTheHashOfThePieces(count: Int, expected: String) {
    var generator = SeededGenerator(seed: 1)
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: ($0 * 31) >> 3) }
    #expect(hash(bytes) == expected)
    guard count > 1 else { return }
    var other = bytes
    other[.random(in: 0..<count, using: &generator)] ^= 1
    #expect(hash(other) != expected)
    #expect(hash(bytes.dropLast()) != expected)
  }

  @Test func piecesHaveTheirPlaces() {
    let (a, b) = ([UInt8](repeating: 1, count: 1 << 20), [UInt8](repeating: 2, count: 1 << 20))
    #expect(hash(a + b) != hash(b + a))
  }

  @Test func progressIsOfAllBytes() {
    let bytes = [UInt8](repeating: 7, count: 3 << 20 + 5)
    var read = 0
    _ = unsafe bytes.withUnsafeBytes { unsafe PieceHash.text(of: $0) { read += $0 } }
    #expect(read == bytes.count)
  }
}
