internal import HTTPTypes

extension SentKey {
  init(_ headers: HTTPFields) {
    self.init(
      authorization: headers[.authorization], bare: headers[.apiKey] ?? headers[.xAPIKey])
  }
}

extension HTTPField.Name {
  /// Azure's, of OpenAI's clients.
  fileprivate static let apiKey = known("api-key")
  fileprivate static let xAPIKey = known("x-api-key")

  private static func known(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no field's name") }
    return name
  }
}
