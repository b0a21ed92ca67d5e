package import Foundation
package import Model

/// What a key may be used for.
package enum Scope: String, Sendable, Hashable, CaseIterable, Comparable {
  /// Ask vBERTs, and see what there is.
  case predict
  /// Files and training jobs.
  case train
  /// vBERTs and keys of the tenant.
  case manage
  /// All of this over all tenants, and the tenants themselves: the operator.
  case admin

  private var rank: Int { Scope.allCases.firstIndex(of: self) ?? 0 }
  package static func < (a: Scope, b: Scope) -> Bool { a.rank < b.rank }
}

/// One scope at least; `admin` allows everything.
package struct Scopes: Sendable, Hashable, CustomStringConvertible {
  private let scopes: Set<Scope>

  /// Everything inside one tenant.
  package static let standard = Scopes(known: [.predict, .train, .manage])
  package static let admin = Scopes(known: [.admin])

  private init(known scopes: Set<Scope>) { self.scopes = scopes }

  /// With commas between. Throws `ScopeError` where there is none, or one that is none.
  package init(_ text: String) throws(ScopeError) {
    var scopes: Set<Scope> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let scope = Scope(rawValue: part.trimmingCharacters(in: .whitespaces)) else {
        throw ScopeError(text: String(part))
      }
      scopes.insert(scope)
    }
    self.scopes = scopes
  }

  package func allows(_ scope: Scope) -> Bool { scopes.contains(scope) || isAdmin }
  package func allows(_ others: Scopes) -> Bool { others.scopes.allSatisfy(allows) }
  package var isAdmin: Bool { scopes.contains(.admin) }

  package var names: [String] { scopes.sorted().map(\.rawValue) }
  package var description: String { names.joined(separator: ",") }
}

/// A text that is no scope.
package struct ScopeError: Error, Equatable, CustomStringConvertible {
  package let text: String

  package var description: String {
    "\"\(clipped(text))\" is no scope: use \(Scope.allCases.map(\.rawValue).joined(separator: ", "))"
  }
}

/// A tenant's key, without its secret, of which only the SHA-256 is kept.
package struct KeyRecord: Sendable, Hashable {
  package let id: Int64
  package let tenant: Name
  /// Unique among its tenant's.
  package let label: Name
  package let scopes: Scopes
  /// Whom it asks where a request names nobody.
  package let vbert: VBertName?
  package let created: Date
  /// It is worth nothing from then on.
  package let expires: Date?
  /// To within a minute or so; nil before the first use.
  package let used: Date?

  package func isExpired(at now: Date) -> Bool { expires.map { $0 <= now } ?? false }
}

/// A key as it was made: the secret exists nowhere else.
package struct NewKey: Sendable {
  package let record: KeyRecord
  package let secret: String
}

/// Who has a key: its tenant, and what it allows.
package struct KeyHolder: Sendable, Hashable {
  package let tenant: TenantRecord
  package let key: KeyRecord
}
