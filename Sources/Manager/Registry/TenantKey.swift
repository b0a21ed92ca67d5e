internal import Crypto
internal import Foundation

/// A tenant's secret: `vb_` and 32 random bytes in URL-safe base64. Only its hash is kept; a fast
/// hash is enough, because nobody can guess 256 random bits.
enum TenantKey {
  static func make() -> String {
    let bytes = unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Data($0) }
    let text = bytes.base64EncodedString().map { character -> Character in
      switch character {
      case "+": "-"
      case "/": "_"
      default: character
      }
    }
    return "vb_" + String(text).prefix { $0 != "=" }
  }

  static func hash(_ key: String) -> Data { Data(SHA256.hash(data: Data(key.utf8))) }
}
