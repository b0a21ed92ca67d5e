internal import Manager

/// A body that goes to the disk as it comes. One thread at a time.
final class UploadedBody: @unchecked Sendable {
  private let upload: Upload
  private let most: Int
  private var count = 0

  init(_ upload: Upload, most: Int) { (self.upload, self.most) = (upload, most) }

  /// Throws `APIError.bodyTooLarge`, and what the disk says.
  func read(_ bytes: [UInt8]) throws {
    count += bytes.count
    guard count <= most else { throw APIError.bodyTooLarge(most: most) }
    try upload.append(bytes)
  }

  /// Its bytes are on the disk when this returns.
  func end() throws { try upload.commit() }
}
