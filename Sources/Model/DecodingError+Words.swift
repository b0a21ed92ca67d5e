extension DecodingError {
  /// What is wrong with a JSON file, for whoever wrote it: which field, and what belongs there. Never
  /// the decoder's own words, which speak of types and keys of ours.
  package var words: String {
    switch self {
    case .keyNotFound(let key, let context):
      "the field \"\(Self.path(context.codingPath + [key]))\" is missing"
    case .valueNotFound(let type, let context), .typeMismatch(let type, let context):
      "\(Self.place(context.codingPath)) is not \(Self.kind(type))"
    case .dataCorrupted(let context):
      // What `decodeJSON` decodes is valid JSON: of the rest only numbers are told without a place.
      context.codingPath.isEmpty
        ? "a number in it is too large for what it says, or a fraction where a whole number belongs"
        : "\(Self.place(context.codingPath)) has a value that is not possible there"
    @unknown default: "it is not what belongs there"
    }
  }

  private static func place(_ keys: [any CodingKey]) -> String {
    keys.isEmpty ? "it" : "the field \"\(path(keys))\""
  }

  /// `added_tokens[0].id`.
  private static func path(_ keys: [any CodingKey]) -> String {
    var path = ""
    for key in keys {
      if let index = key.intValue {
        path += "[\(index)]"
      } else {
        path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
    return path.clipped
  }

  /// A type of ours as the kind of JSON value that it is read from.
  package static func kind(_ type: any Any.Type) -> String {
    switch type {
    case is String.Type: "text"
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type: "a whole number"
    case is any BinaryFloatingPoint.Type: "a number"
    case is [Any].Type, is any UnkeyedDecodingContainer.Type: "a list"
    case is [String: Any].Type: "an object"
    default: "what belongs there"
    }
  }
}

/// A JSON error in words for people; any other error's own.
package func words(_ error: any Error) -> String {
  (error as? DecodingError)?.words ?? "\(error)"
}
