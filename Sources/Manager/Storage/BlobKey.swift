internal import Crypto
internal import Files

/// The names of blobs: 32 hexadecimal digits in lower case, and so what may become a path.
package enum BlobKey {
  static let digits = 32

  /// The first digits of the content's SHA-256. What is stored twice has one key; older blobs have
  /// random ones.
  package static func of(_ content: [UInt8]) -> String {
    String(Hexadecimal.text(sha256(content)).prefix(digits))
  }

  static func sha256(_ content: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: content)) }

  package static func isValid(_ text: some StringProtocol) -> Bool {
    text.utf8.count == digits
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}
