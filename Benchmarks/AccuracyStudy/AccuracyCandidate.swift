package import Manager
package import Model
package import Trainer

/// One way to customise a base, to be compared with others.
package struct AccuracyCandidate: Sendable, Equatable {
  package enum Training: Sendable, Equatable {
    /// All of a dense base.
    case full
    /// nil: what `vbert create` gives for the task.
    case adapter(AdapterSpec?)
  }

  /// How a trained adapter's n-gram rows are read when it is tested.
  package enum Reading: String, Sendable, CaseIterable {
    /// Computed or stored: the same to fp16.
    case exact
    /// As --plot fallback from the base's table.
    case fallback
    /// Rounded to int8.
    case int8
  }

  package let base: Base
  package let training: Training
  /// Whose table is looked in before the base's.
  package let domain: String?
  /// How few rows are learnt from.
  package var effort: Effort?
  /// One training, tested in these ways; exact alone for a dense base.
  package let readings: [Reading]

  package init(base: Base, training: Training, domain: String? = nil, readings: [Reading]) {
    self.base = base
    self.training = training
    self.domain = domain
    self.readings = base.configuration.isSkip ? readings : [.exact]
  }

  /// The column's title.
  package func method(_ reading: Reading) -> String {
    let how =
      switch training {
      case .full: "full fine-tuning"
      case .adapter(let adapter): adapter.map { "\($0)" } ?? "default adapter"
      }
    let place = domain.map { " in \($0)" } ?? ""
    let effort = effort.map { ", \($0)" } ?? ""
    return "\(base.name)\(place) \(how)" + effort
      + (reading == .exact ? "" : ", \(reading.rawValue)")
  }
}

extension AccuracyCandidate {
  package static func == (a: AccuracyCandidate, b: AccuracyCandidate) -> Bool {
    a.base.name == b.base.name && a.training == b.training && a.domain == b.domain
      && a.readings == b.readings && a.effort == b.effort
  }
}
