package import Model

/// Which base a vBERT is made for, and whether the one that it was made for is still here.
package struct BaseChoice: Sendable {
  private let registry: any RegistryStore
  private let bases: BaseStore

  package init(home: Home, _ registry: any RegistryStore) {
    self.registry = registry
    bases = BaseStore(home: home)
  }

  /// Why a base was taken; `rawValue` for people.
  package enum Reason: String, Sendable {
    case named = "as asked"
    case standard = "the registry's default"
    case only = "the only one"
  }

  /// The base of this name, opened for its shape and tokeniser; without one the registry's default, else the only base there is. Throws
  /// `BaseChoiceError` when that leaves several or none, and `BaseError`.
  package func choose(_ name: String?) async throws -> (base: Base, reason: Reason) {
    if let name { return (try bases.load(name, .text), .named) }
    if let name = try await registry.setting(.defaultBase) {
      return (try bases.load(name, .text), .standard)
    }
    let all = try bases.list()
    guard all.count == 1 else {
      throw all.isEmpty ? BaseChoiceError.none : .several(all.map(\.name))
    }
    return (try bases.load(all[0].name, .text), .only)
  }

  /// The base that this specification names, opened for its shape and tokeniser. Throws `BaseError` when it is not here, and
  /// `BaseChoiceError.another` when its content is not what the vBERT was made for: a base of the
  /// same name and shape with other numbers would answer, and wrongly.
  package func base(of spec: VBertSpec) throws -> Base {
    let hash = try bases.record(spec.base).contentHash
    guard hash == spec.baseHash else {
      throw BaseChoiceError.another(name: spec.base, here: hash, wanted: spec.baseHash)
    }
    return try bases.load(spec.base, .text)
  }
}

package enum BaseChoiceError: Error, Equatable, CustomStringConvertible {
  case none
  case several([String])
  case another(name: String, here: String, wanted: String)

  package var description: String {
    switch self {
    case .none: "there is no base yet; import one with: vbert base import DIR --name NAME"
    case .several(let names):
      "there are several bases; say which: \(names.joined(separator: ", "))"
    case .another(let name, let here, let wanted):
      "the base \(name) here (\(here.prefix(12))) is not the one that the vBERT was made for "
        + "(\(wanted.prefix(12))); import that one"
    }
  }
}
