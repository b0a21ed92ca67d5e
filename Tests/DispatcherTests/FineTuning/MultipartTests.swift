import TestSupport
import Testing

@testable import Dispatcher

/// Forms with files, in pieces of any length.
@Suite(.timeLimit(.minutes(10))) struct MultipartTests {
  private typealias Part = MultipartReader.Part

  /// The parts with their bytes, read in pieces of these lengths.
  private func read(
    _ body: [UInt8], boundary: String = "xYz", pieces: [Int] = []
  ) throws -> (parts: [(Part, [UInt8])], isOver: Bool) {
    var reader = MultipartReader(boundary: boundary)
    var (parts, at, piece) = ([(Part, [UInt8])](), 0, 0)
    while at < body.count {
      let length = pieces.isEmpty ? body.count : max(1, pieces[piece % pieces.count])
      try reader.read(body[at..<min(body.count, at + length)]) { event in
        switch event {
        case .part(let part): parts.append((part, []))
        case .bytes(let bytes): parts[parts.count - 1].1 += bytes
        case .endOfPart: break
        }
      }
      (at, piece) = (at + length, piece + 1)
    }
    return (parts, reader.isOver)
  }

  private static let form = """
    before\r\n--xYz\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r
    --xYz  \r\ncontent-disposition: form-data; name=file; filename="a \\"b\\".jsonl"\r
    Content-Type: text/plain\r\n\r\nline\r\n--xYnot\r\n\r\n--xY\r\n--xYz--\r\nafter
    """

  @Test(arguments: 1...40) func piecesOfAnyLengthAreOne(length: Int) throws {
    let (parts, isOver) = try read(Array(Self.form.utf8), pieces: [length, 1, 3])
    #expect(isOver)
    #expect(
      parts.map(\.0) == [Part(name: "purpose"), Part(name: "file", fileName: "a \"b\".jsonl")])
    #expect(
      parts.map { String(decoding: $0.1, as: UTF8.self) } == [
        "fine-tune", "line\r\n--xYnot\r\n\r\n--xY",
      ])
  }

  @Test func anEmptyPartAndAFormThatEndsEarly() throws {
    let empty = "--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--xYz--"
    let (parts, isOver) = try read(Array(empty.utf8))
    #expect(parts.count == 1 && parts[0].1.isEmpty && isOver)
    #expect(try !read(Array(empty.utf8.dropLast(2))).isOver)
  }

  @Test(arguments: [
    ("--xYz!\r\n\r\n", MultipartProblem.boundary), ("--xYz\r\nA: b\r\n\r\n", .noName),
    ("--xYz\r\nContent-Disposition: attachment; name=a\r\n\r\n", .noName),
    ("--xYz\r\n" + String(repeating: "a", count: 9000), .head),
    ("--xYz" + String(repeating: " ", count: 9000), .head),
  ])
  func whatIsNoFormIsRefused(body: String, problem: MultipartProblem) {
    #expect(throws: problem) { try read(Array(body.utf8), pieces: [512]) }
  }

  @Test func boundariesAndNames() throws {
    #expect(try MultipartHead.boundary(of: "multipart/form-data; boundary=abc") == "abc")
    #expect(
      try MultipartHead.boundary(of: "Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"")
        == "a b")
    for type in [
      nil, "", "application/json", "multipart/form-data", "multipart/form-data; boundary=",
    ] {
      #expect(throws: MultipartProblem.contentType) { try MultipartHead.boundary(of: type) }
    }
    func name(_ text: Substring) -> String? { HeaderParameters(text).fileName }
    #expect(name("form-data; filename=\"C:\\\\x\\\\a.jsonl\"") == "a.jsonl")
    #expect(name("form-data; filename=\"../../etc/passwd\"") == "passwd")
    #expect(name("form-data; filename=\"x\"; filename*=utf-8''%C3%A4.jsonl") == "ä.jsonl")
    #expect(name("form-data; filename=\"a;b\"; name=c") == "a;b")
  }

  /// Whatever the bytes: parts, or a problem; in whatever pieces, the same.
  @Test func fuzzedFormsNeverTrap() {
    Fuzz.run { random, seed in
      var body = Array(Self.form.utf8)
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        let at = Int.random(in: 0..<body.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: body[at] = UInt8.random(in: 0...255, using: &random)
        case 1: body.remove(at: at)
        default: body.insert(contentsOf: [13, 10, 45, 45].shuffled(using: &random), at: at)
        }
      }
      let pieces = (0..<3).map { _ in Int.random(in: 1...50, using: &random) }
      func outcome(_ pieces: [Int]) -> String {
        do {
          let read = try read(body, pieces: pieces)
          return "\(read.parts) \(read.isOver)"
        } catch { return "\(error)" }
      }
      let (whole, cut) = (outcome([]), outcome(pieces))
      #expect(whole == cut, "seed \(seed)")
    }
  }
}
