internal import Model

/// A line of a batch: one request, in OpenAI's shape.
struct BatchLine: Sendable {
  /// By which its answer is found again.
  let customID: String
  /// The path of a route.
  let endpoint: String
  let body: JSONValue
  /// Of the whole line.
  let byteCount: Int

  private static let longestID = 512
  private static let members = ["custom_id", "method", "url", "body"]

  /// Throws `BatchProblem`.
  init(json bytes: [UInt8], line: Int) throws(BatchProblem) {
    let value: JSONValue
    do { value = try JSONValue(bytes, deepest: JSONProblem.deepestBody + 1) } catch {
      throw BatchProblem(line, "\(error)")
    }
    guard let members = value.members else { throw BatchProblem(line, "it is no JSON object") }
    for member in members where !Self.members.contains(member.name) {
      throw BatchProblem(
        line,
        "\(clipped(member.name)) is no member of a request; there are: "
          + Self.members.joined(separator: ", "))
    }
    guard let id = value["custom_id"]?.text, 1...Self.longestID ~= id.utf8.count else {
      throw BatchProblem(line, "custom_id: text of 1 to \(Self.longestID) bytes was expected")
    }
    guard value["method"]?.text == "POST" else {
      throw BatchProblem(line, "method: \"POST\" was expected")
    }
    guard let url = value["url"]?.text else {
      throw BatchProblem(line, "url: the path of a route was expected")
    }
    guard let body = value["body"], body.kind == .object else {
      throw BatchProblem(line, "body: an object was expected")
    }
    (customID, endpoint, self.body, byteCount) = (id, url, body, bytes.count)
  }
}

/// What is wrong with a file of requests.
struct BatchProblem: Error, CustomStringConvertible {
  let description: String
  init(_ line: Int, _ why: String) { description = "line \(line): \(why)" }
  init(_ why: String) { description = why }
}
