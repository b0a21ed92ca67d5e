internal import Manager
internal import Model

/// A file's form as it comes: small fields in memory, the file's bytes on the disk. One thread at a time.
final class UploadedForm: @unchecked Sendable {
  private var reader: MultipartReader
  private let upload: Upload
  private let most: Int
  private var part: MultipartReader.Part?
  private var field: [UInt8] = []
  private(set) var fields: [String: String] = [:]
  private(set) var fileName: String?
  private(set) var byteCount = 0
  private static let longestField = 4096

  init(boundary: String, to upload: Upload, most: Int) {
    reader = MultipartReader(boundary: boundary)
    (self.upload, self.most) = (upload, most)
  }

  /// Throws `APIError`, and what the disk says.
  func read(_ bytes: some Collection<UInt8>) throws {
    do {
      try reader.read(bytes) { try hear($0) }
    } catch let problem as MultipartProblem { throw APIError.malformed("\(problem)") }
  }

  private func hear(_ event: MultipartReader.Event) throws {
    switch event {
    case .part(let part):
      self.part = part
      if part.name == "file" {
        guard fileName == nil else {
          throw APIError.invalid("one file was expected", param: "file")
        }
        fileName = part.fileName ?? "file"
      } else if fields[part.name] != nil {
        throw APIError.invalid("it is given twice", param: clipped(part.name))
      }
    case .bytes(let bytes):
      if part?.name == "file" {
        byteCount += bytes.count
        guard byteCount <= most else { throw APIError.bodyTooLarge(most: most) }
        try upload.append(bytes)
      } else {
        field += bytes
        guard field.count <= Self.longestField else {
          throw APIError.invalid("it is too long", param: clipped(part?.name ?? ""))
        }
      }
    case .endOfPart:
      if let part, part.name != "file" {
        guard fields.count < 16 else { throw APIError.malformed("it has too many fields") }
        fields[part.name] = String(decoding: field, as: UTF8.self)
      }
      (part, field) = (nil, [])
    }
  }

  /// What the file is for; its bytes are on the disk when this returns. Throws `APIError`, and what the disk
  /// says.
  func end() throws -> FilePurpose {
    guard reader.isOver else { throw APIError.malformed("\(MultipartProblem.cutShort)") }
    let known = ["purpose"]
    if let other = fields.keys.sorted().first(where: { !known.contains($0) }) {
      throw APIError.refused(
        "\(clipped(other)) is not honoured here; a file's form has purpose and file",
        param: clipped(other))
    }
    guard fileName != nil else { throw APIError.missing("file", butNot: nil, path: "/v1/files") }
    guard let text = fields["purpose"] else {
      throw APIError.missing("purpose", butNot: nil, path: "/v1/files")
    }
    guard let purpose = FilePurpose(rawValue: text), FilePurpose.brought.contains(purpose) else {
      let all = FilePurpose.brought.map(\.rawValue).joined(separator: ", ")
      throw APIError.invalid("one of \(all) was expected", param: "purpose")
    }
    try upload.commit()
    return purpose
  }
}
