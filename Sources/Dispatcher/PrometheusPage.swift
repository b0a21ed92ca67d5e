/// Prometheus' text format, line by line.
struct PrometheusPage {
  enum Kind: String { case counter, gauge, histogram }

  private(set) var text = ""
  private var lastName = ""

  /// `labels` as `labels(_:)` writes them.
  mutating func sample(_ name: String, _ kind: Kind, _ value: Double, labels: String = "") {
    type(name, kind)
    line(name, labels, value)
  }

  mutating func histogram(_ name: String, _ labels: String, _ data: PrometheusHistogram.Snapshot) {
    type(name, .histogram)
    var below = 0
    for (i, count) in data.counts.enumerated() {
      below += count
      let bound = i < data.bounds.count ? PrometheusPage.number(data.bounds[i]) : "+Inf"
      let all = (labels.isEmpty ? "" : labels + ",") + "le=\"\(bound)\""
      line(name + "_bucket", all, Double(below))
    }
    line(name + "_sum", labels, data.sum)
    line(name + "_count", labels, Double(below))
  }

  private mutating func type(_ name: String, _ kind: Kind) {
    guard name != lastName else { return }
    lastName = name
    text += "# TYPE \(name) \(kind.rawValue)\n"
  }

  private mutating func line(_ name: String, _ labels: String, _ value: Double) {
    text += labels.isEmpty ? name : "\(name){\(labels)}"
    text += " \(PrometheusPage.number(value))\n"
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if let whole = Int(exactly: value) { return String(whole) }
    return value.description
  }

  /// Letters, digits, _ and :, not starting with a digit.
  static func name(_ label: String) -> String {
    var name = ""
    for scalar in label.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "_", ":": name.unicodeScalars.append(scalar)
      case "0"..."9":
        if name.isEmpty { name = "_" }
        name.unicodeScalars.append(scalar)
      default: name += "_"
      }
    }
    return name
  }

  static func labels(_ dimensions: [(String, String)]) -> String {
    dimensions.map { key, value in
      var escaped = ""
      for scalar in value.unicodeScalars {
        switch scalar {
        case "\\": escaped += "\\\\"
        case "\"": escaped += "\\\""
        case "\n": escaped += "\\n"
        default: escaped.unicodeScalars.append(scalar)
        }
      }
      return "\(name(key))=\"\(escaped)\""
    }.joined(separator: ",")
  }
}
