internal import Foundation
internal import Model

/// Of an object inside a body: every member is honoured, or refused by its name.
protocol StrictMembers: Decodable {
  associatedtype CodingKeys: CodingKey & CaseIterable
}

extension StrictMembers {
  /// To be called first by `init(from:)`. Throws `APIError.refused`.
  static func check(_ decoder: any Decoder) throws {
    let known = CodingKeys.allCases.map(\.stringValue)
    let object = try decoder.container(keyedBy: AnyMember.self)
    for member in object.allKeys where !known.contains(member.stringValue) {
      if try object.decodeNil(forKey: member) { continue }
      let path = (decoder.codingPath + [member]).map(\.stringValue).joined(separator: ".")
      throw APIError.refused(
        "\(clipped(path)) is no member here; there are: \(known.joined(separator: ", "))",
        param: clipped(path))
    }
  }
}

private struct AnyMember: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
