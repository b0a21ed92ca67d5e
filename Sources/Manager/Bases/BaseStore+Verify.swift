internal import Files
internal import Foundation
internal import Model

extension BaseStore {
  /// Which files of a base are verified when it is opened.
  package enum Extent: Sendable {
    /// All of them, for whoever computes.
    case all
    /// Those that say how text becomes ids and what shape the base has, for whoever reads no weights.
    /// Of a base that an older vbert made, all.
    case text
  }

  /// Opens a base. Its files are those that it was made of, to the byte, or nothing is opened: the
  /// same bytes are hashed that are then used. Throws `invalidName`, `noBase`, `damaged`, and
  /// `unsupported`, `invalid` or `value` for a base that an older vbert took in.
  package func load(_ name: String, _ extent: Extent = .all) throws(BaseError) -> Base {
    try load(name, extent) { _ in }
  }

  private func load(
    _ name: String, _ extent: Extent, progress: (_ bytes: Int) -> Void
  ) throws(BaseError) -> Base {
    let record = try record(name)
    do {
      return try load(name, record, extent, progress: progress)
    } catch {
      // Removed and made again between the two readings.
      guard case .damaged = error, let now = try? self.record(name), now != record else {
        throw error
      }
      return try load(name, now, extent, progress: progress)
    }
  }

  private func load(
    _ name: String, _ record: BaseRecord, _ extent: Extent, progress: (_ bytes: Int) -> Void
  ) throws(BaseError) -> Base {
    let start = ContinuousClock.now
    let contents = try BaseContents(directory(name), expected: record.files)
    let whole = extent == .all || record.files == nil
    try Self.check(contents, record, extent, progress: progress)
    let duration = ContinuousClock.now - start
    var base = try Base(contents, record: record)
    guard base.configuration.skipDepth == record.skipDepth,
      base.configuration.isSkip == (record.kind == .skip)
    else { throw .damaged(name: name, files: ["\(Base.recordFile) (names another skip depth)"]) }
    if record.files == nil {
      try base.checkValues(path: "the base \(name)")
      keep(contents.files(), of: record)
    }
    base.verification = BaseVerification(
      bytes: contents.byteCount - (whole ? 0 : contents.weights?.count ?? 0),
      duration: duration)
    return base
  }

  /// Throws `damaged` where the files are not those that the record was written for.
  static func check(
    _ contents: BaseContents, _ record: BaseRecord, _ extent: Extent,
    progress: (_ bytes: Int) -> Void = { _ in }
  ) throws(BaseError) {
    guard let expected = record.files else {
      guard contents.contentHash(progress: progress) == record.contentHash else {
        throw .damaged(name: record.name, files: [anyOf(contents)])
      }
      return
    }
    let found = contents.files(
      weights: extent == .all, comparedWith: expected, progress: progress)
    let differences = BaseFile.differences(
      found, from: expected, whole: extent == .all || contents.otherWeights != nil)
    guard differences.isEmpty else { throw .damaged(name: record.name, files: differences) }
  }

  /// The one hash of an older base tells that something differs, not what.
  private static func anyOf(_ contents: BaseContents) -> String {
    let names = (contents.small.map(\.name) + [Base.weightsFile]).joined(separator: ", ")
    return "one of \(names), or \(Base.recordFile)"
  }

  /// From now on loads of this older base need not hash on one core, nor look at every value. Where
  /// the disk refuses, or somebody changes bases just now, a later load does it.
  private func keep(_ files: [BaseFile], of record: BaseRecord) {
    guard let lock = try? home.lock(Self.lockName) else { return }
    defer { withExtendedLifetime(lock) {} }
    guard var now = try? self.record(record.name), now == record else { return }
    now.files = files
    guard let json = try? now.json() else { return }
    try? Self.write(Array(json), to: directory(record.name), Base.recordFile)
  }

  /// Reads all of one base and says what is wrong. Throws `invalidName`, `noBase`.
  package func verify(
    _ name: String, progress: (_ bytes: Int) -> Void = { _ in }
  ) throws(BaseError) -> BaseReport {
    try require(name)
    let start = ContinuousClock.now
    var read = 0
    var report = BaseReport(name: name, verification: BaseVerification(bytes: 0, duration: .zero))
    do {
      let base = try load(name, .all) {
        read += $0
        progress($0)
      }
      report.verification = base.verification
      report.damage = base.damagedLocalLayers()
      return report
    } catch .damaged(_, let files) {
      report.damage = files
    } catch {
      report.problem = error.description
    }
    report.verification = BaseVerification(bytes: read, duration: ContinuousClock.now - start)
    return report
  }

  /// Bytes that `verify` will read, about.
  package func byteCount(of name: String) -> Int {
    BaseContents.names.reduce(0) { sum, file in
      let url = directory(name).appending(path: file)
      return sum + ((try? url.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0)
    }
  }
}
