internal import Synchronization

/// The memory that requests hold all together: their bodies, from the first byte that arrives to the
/// last that is answered.
///
/// A tenant has half of it at most, so that one cannot lock others out. The first `free` bytes of a
/// request are not counted (there are as many of these as connections at most): small requests are
/// taken whatever large ones do.
package final class RequestMemory: Sendable {
  /// Nothing of it is left, for this tenant or for anybody.
  enum Full: Error { case tenant, everybody }

  /// Who holds how much. A value.
  struct Book: Sendable {
    let bound: Int
    private(set) var held = 0
    private var tenants: [Int64: Int] = [:]

    init(bound: Int) { self.bound = bound }

    mutating func take(_ bytes: Int, for tenant: Int64) throws(Full) {
      guard bytes <= bound - held else { throw .everybody }
      let own = tenants[tenant, default: 0]
      guard bytes <= bound / 2 - own else { throw .tenant }
      held += bytes
      tenants[tenant] = own + bytes
    }

    mutating func give(_ bytes: Int, of tenant: Int64) {
      held -= bytes
      let left = tenants[tenant, default: 0] - bytes
      tenants[tenant] = left > 0 ? left : nil
    }

    var isEmpty: Bool { held == 0 && tenants.isEmpty }
  }

  static let free = 1 << 14

  private let book: Mutex<Book>

  package init(bound: Int) { book = Mutex(Book(bound: bound)) }

  package var held: Int { book.withLock(\.held) }

  /// One request's part, given back when the last reference goes.
  final class Share: Sendable {
    private let memory: RequestMemory
    private let tenant: Int64
    private let bytes = Mutex(0)

    init(_ memory: RequestMemory, tenant: Int64) {
      (self.memory, self.tenant) = (memory, tenant)
    }

    deinit {
      let counted = bytes.withLock { max(0, $0 - free) }
      if counted > 0 { memory.book.withLock { $0.give(counted, of: tenant) } }
    }

    /// Bytes of the body so far.
    var size: Int { bytes.withLock { $0 } }

    func add(_ more: Int) throws(Full) {
      let result = bytes.withLock { bytes -> Result<Void, Full> in
        let counted = max(0, bytes + more - free) - max(0, bytes - free)
        if counted > 0 {
          do throws(Full) {
            try memory.book.withLock { book throws(Full) in try book.take(counted, for: tenant) }
          } catch {
            return .failure(error)
          }
        }
        bytes += more
        return .success(())
      }
      try result.get()
    }
  }
}
