package import Compute
package import Manager
package import Model

/// A base on a device with its n-gram rows, for who computes without a server.
package struct OpenedBase {
  package let base: Base
  package let backend: any Backend
  package let model: BaseModel
  /// nil for a dense base.
  package let lookup: RowLookup?
  private let bases: BaseStore
  /// Of computed rows that are kept, so that an n-gram of many rows is computed once a run.
  package static let rowBytes = 512 << 20

  /// Opens the base that the specification was made for, on the device that `lane` makes for it. `say`
  /// hears how it was verified, `warn` of tables that are damaged. Throws when the base is gone, or is
  /// another one of that name now.
  package init(
    of spec: VBertSpec, home: Home, rowBytes: Int = OpenedBase.rowBytes,
    lane: (Configuration) throws -> any Backend,
    say: (String) -> Void, warn: @escaping @Sendable (String) -> Void
  ) throws {
    bases = BaseStore(home: home)
    base = try bases.load(spec.base)
    guard base.record.contentHash == spec.baseHash else {
      throw OpenedBaseError.replaced(base: spec.base)
    }
    // A damaged registry may ask for any length.
    try spec.checkLength(base: base.configuration)
    say("base \(base.name): \(base.verification.text)")
    backend = try lane(base.configuration)
    model = try BaseModel(
      source: base.weights, configuration: base.configuration, backend: backend)
    guard base.configuration.isSkip else {
      lookup = nil
      return
    }
    // Rounded as a server rounds them, so that it answers with the same numbers.
    let store = try base.openPLOT(cacheBytes: rowBytes, tell: { warn("\($0)") })
    // A domain that does not exist is an error now.
    _ = try store.domain(spec.domain)
    lookup = NGramLookup(
      store: store, computer: try LocalEncoder(base: model, backend: backend)
    ).rowLookup(domain: spec.domain)
  }

  /// For who has read the base's weights once more, long after the model was packed: throws where they
  /// are no longer what they were.
  package func confirm() throws { _ = try bases.loadAgain(base) }
}

package enum OpenedBaseError: Error, CustomStringConvertible {
  case replaced(base: String)

  package var description: String {
    switch self {
    case .replaced(let base):
      "the base \(base) is not the one that this vBERT was made on; "
        + "bring that one back, or create the vBERT anew"
    }
  }
}
