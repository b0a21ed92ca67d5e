internal import Files
package import Foundation
private import Synchronization

/// All that is stored of one base's local layers: the general table, the domains' tables (files,
/// immutable), and one cache in memory of the n-grams that were missing and have been computed.
///
/// The cache is shared by all domains, since a computed row is the same whoever asked for it. Rows
/// in it have the general table's format, and every computed row is rounded to that format whether
/// it is admitted or not: so what else is being served never changes an answer.
///
/// A table that is damaged, or that somebody waits to write to, is given up: what it had is computed,
/// and the store says so once.
package final class PLOTStore: Sendable {
  /// Of computed rows.
  package let format: PLOTRowFormat
  package let skipDepth: Int
  let cache: PLOTCache
  let baseHash: String
  let directory: URL?
  private let tables: Mutex<Tables>
  private let tell: @Sendable (PLOTError) -> Void

  private struct Tables {
    var general: PLOTDomain
    /// By number, from 1.
    var domains: [PLOTDomain] = []
    var numbers: [String: UInt32] = [:]
    /// Tables that were given up.
    var lost = 0
  }

  /// Opens the base's `plot` directory; without one, or without files in it, everything is computed
  /// and cached in the format `type`. The cache is bounded by `cacheBytes`; 0 keeps nothing. `tell`
  /// hears of every table that is damaged or given up, once; also of one that the disk refuses. Throws
  /// `PLOTError` when there is a general table that is another base's, or of another version.
  package init(
    directory: URL?, baseHash: String, hidden: Int, skipDepth: Int, cacheBytes: Int,
    type: PLOTRowType = .float16, tell: @escaping @Sendable (PLOTError) -> Void = { _ in }
  ) throws(PLOTError) {
    var files: [PLOTFile] = []
    var loss: PLOTError?
    if let url = directory.map({ PLOTStore.file(in: $0, domain: nil) }) {
      do throws(PLOTError) {
        files = [try PLOTFile(opening: url, baseHash: baseHash, hidden: hidden)]
      } catch {
        loss = try error.isAbsence ? nil : error.asLoss(of: url)
      }
    }
    self.directory = directory
    self.baseHash = baseHash
    self.skipDepth = skipDepth
    self.tell = tell
    let general = PLOTDomain(name: nil, files: files, number: 0, isWhole: loss == nil)
    tables = Mutex(Tables(general: general, lost: loss == nil ? 0 : 1))
    format = PLOTRowFormat(type: files.first?.format.type ?? type, hidden: hidden)
    cache = PLOTCache(format: format, byteCount: cacheBytes)
    if let loss { tell(loss) }
  }

  /// Where a table lies: `general.plot`, or the domain's name.
  package static func file(in directory: URL, domain: String?) -> URL {
    directory.appending(path: "\(domain ?? "general").plot")
  }

  /// The general table, as it is now.
  package var general: PLOTDomain { current(\.general) }

  /// What `read` finds, without tables that somebody waits to write to.
  private func current(_ read: (Tables) -> PLOTDomain) -> PLOTDomain {
    let domain = tables.withLock { read($0) }
    return letGo(of: domain.files) ? tables.withLock { read($0) } : domain
  }

  /// The number of a domain, 0 for the general table alone; nil where `number(of:)` has to open its tables.
  package func number(ifOpen name: String?) -> UInt32? {
    guard let name else { return 0 }
    return tables.withLock { $0.numbers[name] }
  }

  /// The same; opens the domain's tables at the first call. Throws `PLOTError` for a domain that does not
  /// exist, or whose table cannot be used.
  package func number(of name: String?) throws(PLOTError) -> UInt32 {
    guard let name else { return 0 }
    let (number, loss) = try tables.withLock {
      tables throws(PLOTError) -> (UInt32, PLOTError?) in
      if let number = tables.numbers[name] { return (number, nil) }
      let (domain, loss) = try open(name, tables)
      tables.domains.append(domain)
      tables.numbers[name] = domain.number
      if loss != nil { tables.lost += 1 }
      return (domain.number, loss)
    }
    if let loss { tell(loss) }
    return number
  }

  /// The domain's tables as they are now. Throws `PLOTError.lostDomain`: one whose table is given up and
  /// cannot be computed is never replaced by another.
  package func domain(number: UInt32) throws(PLOTError) -> PLOTDomain {
    guard number > 0 else { return general }
    let domain = current { $0.domains[Int(number) - 1] }
    guard domain.hasOwnTable || !domain.hasOwnLayers else {
      throw .lostDomain(domain.name ?? "general")
    }
    return domain
  }

  /// The same by name, opened at the first call.
  package func domain(_ name: String?) throws(PLOTError) -> PLOTDomain {
    try domain(number: number(of: name))
  }

  /// Also what is lost of it: a table that cannot be read is computed, where the base's layers made it.
  private func open(_ name: String, _ tables: Tables) throws(PLOTError) -> (
    domain: PLOTDomain, loss: PLOTError?
  ) {
    try PLOTDomain.check(name: name)
    guard let directory else { throw .unknownDomain(name, path: "its file") }
    let url = PLOTStore.file(in: directory, domain: name)
    let maker = try Base.rowsHash(of: name, base: baseHash, in: directory)
    let hasOwnLayers = maker != baseHash
    var own: [PLOTFile] = []
    var loss: PLOTError?
    do throws(PLOTError) {
      let file = try PLOTFile(opening: url, baseHash: maker, hidden: format.hidden)
      // What a damaged index hides would be computed with the base's layers.
      guard !hasOwnLayers || file.hasSoundIndex else {
        throw .corrupt(path: url.filePath, what: "its index has other bytes")
      }
      own = [file]
    } catch {
      if error.isAbsence { throw .unknownDomain(name, path: url.filePath) }
      // In a directory that cannot be looked into there may be local layers.
      guard !hasOwnLayers, FileKind(url) != .missing else { throw error }
      loss = try error.asLoss(of: url)
    }
    let domain = PLOTDomain(
      name: name, files: own + tables.general.files, number: UInt32(tables.domains.count) + 1,
      hasOwnLayers: hasOwnLayers, isWhole: tables.general.isWhole && loss == nil,
      hasOwnTable: loss == nil)
    return (domain, loss)
  }

  /// Gives up the tables that somebody waits to write to. For who looks from time to time, so that they
  /// need not wait for the next request.
  package func letGo() {
    _ = letGo(
      of: tables.withLock { tables in
        tables.general.files + tables.domains.compactMap(\.own)
      })
  }

  /// Whether one of them was given up.
  private func letGo(of files: [PLOTFile]) -> Bool {
    let wanted = files.filter(\.isWanted)
    for file in wanted { giveUp(file, "somebody writes to it") }
    return !wanted.isEmpty
  }

  private func giveUp(_ file: PLOTFile, _ why: String) {
    let isNew = tables.withLock { tables in
      let had = ([tables.general] + tables.domains).contains {
        $0.files.contains { $0 === file }
      }
      guard had else { return false }
      tables.general = tables.general.without(file)
      tables.domains = tables.domains.map { $0.without(file) }
      tables.lost += 1
      return true
    }
    if isNew { tell(.lost(path: file.url.filePath, what: why)) }
  }

  /// A row that some domain looks up was found damaged. Throws `PLOTError.lostDomain` where it cannot be
  /// computed; the domain is refused from now on.
  func foundDamage(in file: PLOTFile, of domain: PLOTDomain) throws(PLOTError) {
    guard let name = domain.name, domain.hasOwnLayers, domain.own === file else {
      if file.isFirstDamage { tell(.damagedRows(path: file.url.filePath)) }
      return
    }
    giveUp(file, "a row of it is damaged")
    throw .lostDomain(name)
  }

  /// Rows in the cache now, and how many it can hold.
  package var cached: (rows: Int, capacity: Int) { (cache.count, cache.capacity) }
  /// Computed n-grams that were not admitted: the cache held none that was rarer.
  package var rejected: Int { cache.rejected }
  /// Tables that were given up.
  package var lost: Int { tables.withLock(\.lost) }
  /// Rows of open files that were found damaged, and are computed instead.
  package var damagedRows: Int {
    tables.withLock { tables in
      (tables.general.files + tables.domains.compactMap(\.own)).reduce(0) {
        $0 + $1.damagedRows
      }
    }
  }
}
