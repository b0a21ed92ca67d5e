internal import Files
package import Foundation
package import Model
internal import Trainer

/// A task of a data folder: FOLDER/cls|pair|ner/NAME/train|dev|test.jsonl.gz.
package struct AccuracyTask: Sendable, Equatable {
  package enum Kind: String, Sendable, Codable, CaseIterable {
    case cls, pair, ner

    /// As tables name it.
    package var title: String {
      switch self {
      case .cls: "classification"
      case .pair: "pairs"
      case .ner: "tagging"
      }
    }
  }

  package let kind: Kind
  package let name: String
  package let directory: URL

  /// All tasks of a folder by kind and name, of these kinds; only those in `names` where there are any.
  /// Throws `AccuracyError` for a name that is not there, or a folder without tasks.
  package static func list(
    in folder: URL, kinds: [Kind] = Kind.allCases, names: [String]
  ) throws -> [AccuracyTask] {
    var tasks: [AccuracyTask] = []
    for kind in Kind.allCases where kinds.contains(kind) {
      let directory = folder.appending(path: kind.rawValue, directoryHint: .isDirectory)
      let found =
        (try? FileManager.default.contentsOfDirectory(atPath: directory.filePath))
        ?? []
      for name in found.sorted() {
        let task = AccuracyTask(
          kind: kind, name: name,
          directory: directory.appending(path: name, directoryHint: .isDirectory))
        if task.file("train") != nil, task.file("test") != nil { tasks.append(task) }
      }
    }
    guard !tasks.isEmpty else { throw AccuracyError.noTasks(folder.filePath) }
    for name in names where !tasks.contains(where: { $0.name == name }) {
      throw AccuracyError.noTask(name, folder: folder.filePath)
    }
    return names.isEmpty ? tasks : tasks.filter { names.contains($0.name) }
  }

  /// Its train, dev or test rows, plain or gzip; nil when there are none.
  func file(_ part: String) -> String? {
    ["\(part).jsonl.gz", "\(part).jsonl"].map {
      directory.appending(path: $0).filePath
    }
    .first { FileManager.default.fileExists(atPath: $0) }
  }

  /// What the rows ask for: pairs may be labelled or scored, which the first row tells.
  package func task() throws -> VBertTask {
    switch kind {
    case .cls: return .classify
    case .ner: return .tag
    case .pair:
      guard let path = file("train") else {
        throw AccuracyError.noTasks(directory.filePath)
      }
      return (try? DataSet(path: path, task: .score, labelled: true)) == nil ? .classify : .score
    }
  }
}

package enum AccuracyError: Error, Equatable, CustomStringConvertible {
  case noTasks(String)
  case noTask(String, folder: String)
  case damagedLog(String, line: Int)

  package var description: String {
    switch self {
    case .noTasks(let path):
      "\(path) holds no tasks: FOLDER/cls|pair|ner/NAME/train.jsonl.gz and test.jsonl.gz"
    case .noTask(let name, let folder): "there is no task \(name) in \(folder)"
    case .damagedLog(let path, let line):
      "\(path), line \(line) is no result; take the line out, or give another --log"
    }
  }
}
