internal import Crypto
internal import Files
internal import Foundation
internal import Model

/// base.json on the disk: the record and a hash over its members, so that damage to what says how the
/// other files must be is noticed too. Records of older bases have neither `files` nor `seal`; one
/// without the other is damage.
extension BaseRecord {
  /// What can be wrong with a base.json.
  enum Damage: Error, CustomStringConvertible {
    case illegible
    case seal

    var description: String {
      switch self {
      case .illegible: "is not what vbert writes"
      case .seal: "has other bytes than it was written with"
      }
    }
  }

  private struct Sealed: Codable {
    var record: BaseRecord
    var seal: String?

    enum Key: CodingKey { case seal }

    init(_ record: BaseRecord) {
      self.record = record
      // As it will be read.
      self.record.created = Date(timeIntervalSince1970: Double(record.createdSecond))
      seal = record.files == nil ? nil : record.seal
    }

    init(from decoder: any Decoder) throws {
      record = try BaseRecord(from: decoder)
      seal = try decoder.container(keyedBy: Key.self).decodeIfPresent(String.self, forKey: .seal)
    }

    func encode(to encoder: any Encoder) throws {
      try record.encode(to: encoder)
      var container = encoder.container(keyedBy: Key.self)
      try container.encodeIfPresent(seal, forKey: .seal)
    }
  }

  private var createdSecond: Int { Int(created.timeIntervalSince1970.rounded(.down)) }

  /// SHA-256 over all members but the name, which is the directory's.
  private var seal: String {
    let lines =
      [
        "vbert-base-1", kind.rawValue, "\(skipDepth)", "\(distilled)", contentHash,
        "\(createdSecond)", "\(source.utf8.count) \(source)",
      ] + (files ?? []).map { "\($0.name) \($0.bytes) \($0.digest)" }
      // Only where they are: records of before have neither.
      + [pooling.map { "pooling \($0.name)" }, maxLength.map { "maxLength \($0)" }]
      .compactMap { $0 }
    return Hexadecimal.text(SHA256.hash(data: Data(lines.joined(separator: "\n").utf8)))
  }

  /// Reads base.json. Throws `Damage`.
  init(json: Data) throws(Damage) {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    // It may come with a base from elsewhere.
    guard (try? JSONValue([UInt8](json))) != nil,
      let sealed = try? decoder.decode(Sealed.self, from: json),
      abs(sealed.record.created.timeIntervalSince1970) < 1e12
    else { throw .illegible }
    guard sealed.seal == (sealed.record.files == nil ? nil : sealed.record.seal) else {
      throw .seal
    }
    self = sealed.record
  }

  /// As base.json has it.
  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return try encoder.encode(Sealed(self))
  }
}
