internal import Foundation

/// The lines before a part's bytes.
struct MultipartHead {
  let part: MultipartReader.Part

  /// Throws `MultipartProblem.noName`.
  init(_ bytes: ArraySlice<UInt8>) throws(MultipartProblem) {
    let text = String(decoding: bytes, as: UTF8.self)
    for line in text.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":"),
        line[..<colon].trimmingCharacters(in: .whitespaces).lowercased() == "content-disposition"
      else { continue }
      let values = HeaderParameters(line[line.index(after: colon)...])
      guard values.value.lowercased() == "form-data", let name = values["name"] else { break }
      part = MultipartReader.Part(name: name, fileName: values.fileName)
      return
    }
    throw .noName
  }

  /// Of a Content-Type. Throws `MultipartProblem.contentType`.
  static func boundary(of type: String?) throws(MultipartProblem) -> String {
    let values = HeaderParameters(Substring(type ?? ""))
    guard values.value.lowercased() == "multipart/form-data", let boundary = values["boundary"],
      1...70 ~= boundary.utf8.count, boundary.utf8.allSatisfy({ 32..<127 ~= $0 })
    else { throw .contentType }
    return boundary
  }
}

/// `value; name=value; name="quoted value"` (RFC 9110, 5.6.6).
struct HeaderParameters {
  let value: String
  private var parameters: [String: String] = [:]

  init(_ text: Substring) {
    var rest = text
    value = Self.take(&rest, upTo: ";").trimmingCharacters(in: .whitespaces)
    while !rest.isEmpty {
      let name = Self.take(&rest, upTo: "=").trimmingCharacters(in: .whitespaces).lowercased()
      let value: String
      rest = rest.drop { $0 == " " || $0 == "\t" }
      if rest.first == "\"" {
        rest.removeFirst()
        value = Self.quoted(&rest)
        _ = Self.take(&rest, upTo: ";")
      } else {
        value = Self.take(&rest, upTo: ";").trimmingCharacters(in: .whitespaces)
      }
      if parameters[name] == nil { parameters[name] = value }
    }
  }

  subscript(_ name: String) -> String? { parameters[name] }

  /// `filename*` goes before (RFC 5987); without folders, which some send.
  var fileName: String? {
    var name = self["filename"]
    if let extended = self["filename*"] {
      let parts = extended.split(separator: "'", omittingEmptySubsequences: false)
      if parts.count == 3, parts[0].lowercased() == "utf-8" {
        name = String(parts[2]).removingPercentEncoding ?? name
      }
    }
    return name?.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map {
      String($0.prefix(200))
    }
      ?? name
  }

  private static func take(_ rest: inout Substring, upTo end: Character) -> Substring {
    let part = rest.prefix { $0 != end }
    rest = rest.dropFirst(part.count + 1)
    return part
  }

  /// Up to the closing quote; a backslash makes the next letter itself.
  private static func quoted(_ rest: inout Substring) -> String {
    var text = ""
    while let letter = rest.popFirst(), letter != "\"" {
      if letter == "\\", let next = rest.popFirst() {
        text.append(next)
      } else {
        text.append(letter)
      }
    }
    return text
  }
}
