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

  /// Throws `APIError.invalid` unless a vector of `hidden` values has them, and where `trained` says which sizes
  /// it was trained to be cut to, for any other: its first values alone would be worse than they could be.
  func check(hidden: Int, trained: [Int]?) throws(APIError) {
    if let trained, !trained.contains(count) {
      let sizes = trained.map { "\($0)" }.joined(separator: ", ")
      throw .invalid("\(count) is not possible; this vBERT was trained for \(sizes)", param: path)
    }
    guard 1...hidden ~= count else {
      throw .invalid("\(count) is not possible; this vBERT has 1 to \(hidden)", param: path)
    }
  }
}
