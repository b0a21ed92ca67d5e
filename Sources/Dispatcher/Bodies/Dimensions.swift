/// So many of a vector's first values.
struct Dimensions: Sendable {
  let count: Int
  private let path: String

  /// nil where they are not asked for. Throws `APIError`.
  init?(_ members: Members) throws(APIError) {
    guard let count = try members.wholeNumber("dimensions"),
      let path = members.find("dimensions")?.path
    else { return nil }
    (self.count, self.path) = (count, path)
  }

  /// Throws `APIError.invalid` unless a vector of `hidden` values has them.
  func check(hidden: Int) throws(APIError) {
    guard 1...hidden ~= count else {
      throw .invalid("\(count) is not possible; this vBERT has 1 to \(hidden)", param: path)
    }
  }
}
