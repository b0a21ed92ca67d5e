internal import Foundation
internal import Manager
internal import Model
internal import Scheduler

/// What becomes of an archive: a new vBERT, under its own name or `name`, or the next version of the one named `into`.
struct ImportQuery: Sendable {
  let name: Name?
  let into: String?
  let tenant: Name

  /// `value` has what the query says under a name. Throws `APIError`.
  init(_ value: (String) -> String?, _ caller: Caller) throws(APIError) {
    into = value("into")
    guard into == nil || value("name") == nil && value("tenant") == nil else {
      throw .refused("into says which vBERT it is: leave name and tenant out", param: "into")
    }
    do { name = try value("name").map { try Name($0) } } catch {
      throw .invalid("\(error)", param: "name")
    }
    tenant = try caller.tenant(asked: value("tenant"))
  }
}

extension Dispatcher {
  /// A version as a zip archive of what `vbert export` writes.
  func export(_ text: String, version: String?, _ caller: Caller) async throws -> Outcome {
    let record = try await record(text, caller)
    let number = try version.map { text throws(APIError) in
      guard let number = Int(text) else {
        throw .invalid("the number of a version was expected", param: "version")
      }
      return number
    }
    return try await managing(caller) {
      do {
        let bytes = try await store.archive(vbert: record.name, version: number).bytes
        return Outcome(.once(bytes, type: "application/zip"))
      } catch let error as DirectoryError {
        throw APIError.conflict("\(error)")
      } catch let error as AdapterError {
        throw APIError.unservable(
          "the parameters of \(record.name) cannot be read; the server's operator must look",
          log: "\(error)")
      }
    }
  }

  /// `end` is to be called once, where the disk may be waited for.
  func importVBert(
    _ wish: ImportQuery, _ path: String, _ caller: Caller,
    end: @escaping @Sendable () throws -> Void
  ) async throws -> Outcome {
    let target: VBertName? = try await {
      guard let into = wish.into else { return nil }
      return try await record(into, caller).name
    }()
    return try await disk {
      try await managing(caller) {
        try end()
        do {
          let name = try await imported(wish, target, path)
          let (made, versions) = (
            try await registry.vbert(name), try await registry.versions(of: name)
          )
          return try Outcome(encoding: VBertAnswer(made, versions))
        } catch let error as RegistryError { throw error } catch let error as BlobError {
          throw error
        } catch let problem {
          guard let words = Self.words(of: problem) else { throw problem }
          throw APIError.invalid(words, param: "body")
        }
      }
    }
  }

  private func imported(
    _ wish: ImportQuery, _ target: VBertName?, _ path: String
  ) async throws -> VBertName {
    let bases = BaseChoice(home: store.home, registry)
    return try await store.withDirectory(ofArchive: path, byteCount: limits.uploadBytes) {
      directory in
      func shape(_ spec: VBertSpec) throws -> Model.Configuration {
        try bases.base(of: spec).configuration
      }
      guard let target else {
        return try await store.importDirectory(
          directory, name: wish.name.map { VBertName($0, of: wish.tenant) }, tenant: wish.tenant,
          baseShape: shape
        ).name
      }
      return try await store.importDirectory(directory, into: target, baseShape: shape).vbert
    }
  }

  /// What is wrong with an archive, for who brought it; nil where it is the server's fault.
  private static func words(of problem: any Error) -> String? {
    switch problem {
    case let problem as DirectoryError: problem.wordsOfArchive
    case is BaseChoiceError, is BaseError, is SpecProblem: "\(problem)"
    default: AdapterStore.isProblemOfArchive(problem) ? "\(problem)" : nil
    }
  }
}
