internal import Files
internal import Manager
internal import Model

/// The requests of a batch's file, one after the other, plain or gzip. One thread at a time.
final class BatchFile: @unchecked Sendable {
  private let reader: LineReader
  /// Requests that were read.
  private(set) var count = 0

  /// Throws what the disk says.
  init(_ path: String, longestLine: Int) throws {
    reader = try LineReader(path: path, limit: longestLine)
  }

  /// nil at the end. Throws `BatchProblem`, and what the disk says.
  func next() throws -> BatchLine? {
    while let line = try reader.next() {
      if line.isBlank { continue }
      count += 1
      return try BatchLine(json: line.bytes, line: line.number)
    }
    return nil
  }

  /// Passes over so many. Throws what the disk says.
  func skip(_ requests: Int) throws {
    while count < requests, let line = try reader.next() {
      if !line.isBlank { count += 1 }
    }
  }
}

extension RowsReport {
  /// As many requests as OpenAI takes, four times over.
  private static let mostRequests = 200_000

  /// Looks at every request of a file: all must ask one of the `endpoints`, the same. Memory for their ids. Throws
  /// `BatchProblem` for the first that is wrong; what the disk says of an archive that is none, too.
  init(requests path: String, longestLine: Int, endpoints: [String]) throws {
    var (endpoint, ids) = (String?.none, Set<String>())
    do {
      let file = try BatchFile(path, longestLine: longestLine)
      while let request = try file.next() {
        let number = file.count
        guard endpoints.contains(request.endpoint) else {
          throw BatchProblem(
            "request \(number): nothing is asked at \(clipped(request.endpoint)); url is one of "
              + endpoints.joined(separator: ", "))
        }
        if let endpoint, endpoint != request.endpoint {
          throw BatchProblem(
            "request \(number): its url is \(request.endpoint), and that of those before \(endpoint): one batch asks one"
          )
        }
        endpoint = request.endpoint
        guard ids.insert(request.customID).inserted else {
          throw BatchProblem(
            "request \(number): custom_id \(clipped(request.customID)) is there already")
        }
        guard number <= Self.mostRequests else {
          throw BatchProblem("it holds more than \(Self.mostRequests) requests; use several files")
        }
      }
    } catch let error as BatchProblem { throw error } catch let error as FileError {
      throw error
    } catch {
      throw BatchProblem("\(error)".replacing(path, with: "the file"))
    }
    guard let endpoint else { throw BatchProblem("it holds no requests") }
    self.init(task: nil, rows: ids.count, endpoint: endpoint)
  }
}
