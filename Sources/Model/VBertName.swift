/// Which vBERT: its name inside its tenant. Two tenants may have one of the same name each.
package struct VBertName: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let tenant: Name
  package let name: Name

  package init(_ name: Name, of tenant: Name = .default) {
    (self.tenant, self.name) = (tenant, name)
  }

  /// `tenant/name`, or a name alone, which is `tenant`'s. Throws `NameError`.
  package init(_ text: String, of tenant: Name = .default) throws(NameError) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      self.init(try Name(text), of: tenant)
      return
    }
    self.init(try Name(String(parts[1])), of: try Name(String(parts[0])))
  }

  /// `tenant/name`, whoever the tenant is.
  package var full: String { "\(tenant)/\(name)" }

  /// As whoever may ask for every tenant's writes it: a name alone is `default`'s.
  package var text: String { tenant == .default ? name.text : full }

  package var description: String { text }

  /// As that tenant writes it: a name alone is its own.
  package func text(for tenant: Name) -> String { self.tenant == tenant ? name.text : full }

  /// By tenant, then by name.
  package static func < (a: VBertName, b: VBertName) -> Bool {
    (a.tenant, a.name) < (b.tenant, b.name)
  }
}

extension VBertName: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode(String.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

/// A vBERT, and which of its versions where not the one that answers now: `name`, `name@4`.
package struct VBertAddress: Sendable, Hashable {
  package let name: VBertName
  package let version: Int?

  /// Throws `NameError`.
  package init(_ text: String, of tenant: Name = .default) throws(NameError) {
    guard let at = text.lastIndex(of: "@") else {
      (name, version) = (try VBertName(text, of: tenant), nil)
      return
    }
    let digits = text[text.index(after: at)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      digits.first != "0", let number = Int(digits)
    else { throw NameError(text: text) }
    (name, version) = (try VBertName(String(text[..<at]), of: tenant), number)
  }
}
