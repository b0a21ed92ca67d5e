internal import Foundation

/// Values as they stand in the registry and in metadata: JSON with sorted keys.
enum JSONText {
  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// JSON has no word for infinity; a metric that is not finite is left out.
  static func encode(finite metrics: [String: Double]) throws -> String {
    try encode(metrics.filter { $0.value.isFinite })
  }

  static func decode<Value: Decodable>(_ text: String) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(text.utf8))
  }
}
