import Compute
import Manager
import Model
import Trainer

/// A base on a device with its n-gram rows, for the verbs that compute without a server.
struct OpenedBase {
  let base: Base
  let backend: any Backend
  let model: BaseModel
  /// nil for a dense base.
  let lookup: RowLookup?
  private let bases: BaseStore
  /// Computed rows are kept, so that an n-gram of many rows is computed once a run.
  private static let rowBytes = 512 << 20

  /// Opens the base that the specification was made for. Throws when it is gone, or is another one
  /// of that name now.
  init(
    of spec: VBertSpec, home: Home, device: DeviceOptions, precision: PrecisionChoice = .fp32,
    threads: Int?
  ) throws {
    bases = BaseStore(home: home)
    base = try bases.load(spec.base)
    guard base.record.contentHash == spec.baseHash else {
      throw OpenedBaseError.replaced(base: spec.base)
    }
    // A damaged registry may ask for any length.
    try spec.checkLength(base: base.configuration)
    ProgressLine().say("base \(base.name): \(base.verification.text)")
    backend = try Device(device, precision: precision)
      .lane(threads: threads, for: base.configuration)
    model = try BaseModel(
      source: base.weights, configuration: base.configuration, backend: backend)
    guard base.configuration.isSkip else {
      lookup = nil
      return
    }
    let store = try PLOTStore(
      directory: base.plotDirectory, baseHash: base.record.contentHash,
      hidden: base.configuration.hiddenSize, skipDepth: base.configuration.skipDepth,
      cacheBytes: OpenedBase.rowBytes, type: .float32, tell: { ProgressLine.warn("\($0)") })
    // A domain that does not exist is an error now.
    _ = try store.domain(spec.domain)
    lookup = NGramLookup(
      store: store, computer: try LocalEncoder(base: model, backend: backend)
    ).rowLookup(domain: spec.domain)
  }

  /// For who has read the base's weights once more, long after the model was packed: throws where they
  /// are no longer what they were.
  func confirm() throws { _ = try bases.loadAgain(base) }
}

enum OpenedBaseError: Error, CustomStringConvertible {
  case replaced(base: String)

  var description: String {
    switch self {
    case .replaced(let base):
      "the base \(base) is not the one that this vBERT was made on; "
        + "bring that one back, or create the vBERT anew"
    }
  }
}
