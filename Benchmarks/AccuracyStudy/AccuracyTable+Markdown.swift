internal import Foundation

extension AccuracyTable {
  /// The summaries and, below, every task.
  package var markdown: String {
    var lines = [
      "| kind | method | tasks | mean | points lost | at most | on |",
      "|---|---|---:|---:|---:|---:|---|",
    ]
    for summary in summaries {
      let isFirst = summary.method == methods.first
      lines.append(
        "| \(summary.kind.title) | \(summary.method) | \(summary.tasks) "
          + "| \(Self.short(summary.mean)) | \(isFirst ? "" : Self.short(summary.loss)) "
          + "| \(isFirst ? "" : Self.short(summary.worst)) | \(isFirst ? "" : summary.worstTask) |")
    }
    lines += ["", "| task | metric | test rows | seeds |" + methods.map { " \($0) |" }.joined()]
    lines.append("|---|---|---:|---:|" + methods.map { _ in "---:|" }.joined())
    for row in rows {
      lines.append(
        "| \(row.task) | \(row.metric) | \(row.testRows) | \(row.seeds) |"
          + row.values.map { " \($0.map(Self.short) ?? "") |" }.joined())
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// One digit after the point.
  static func short(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }

  /// For every task and method a dot at the points lost against the first method.
  package var picture: String {
    let colours = ["#444444", "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf"]
    let (left, right, top, step) = (170.0, 700.0, 40.0 + 16 * Double(methods.count), 18.0)
    let lost = rows.map { row in
      row.values.map { value in row.values[0].flatMap { first in value.map { first - $0 } } }
    }
    let flat = lost.joined().compactMap(\.self)
    let most = max(2, (flat.max() ?? 0).rounded(.up))
    let least = min(-2, (flat.min() ?? 0).rounded(.down))
    func x(_ points: Double) -> Double {
      left + (points - least) / (most - least) * (right - left)
    }
    func text(_ x: Double, _ y: Double, _ anchor: String, _ text: String) -> String {
      let safe = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      return "<text x=\"\(Int(x))\" y=\"\(Int(y))\" text-anchor=\"\(anchor)\">\(safe)</text>"
    }
    let height = top + step * Double(rows.count) + 30
    var parts = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"740\" height=\"\(Int(height))\" "
        + "font-family=\"sans-serif\" font-size=\"11\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
      text(left, 16, "start", "Points lost against \(methods.first ?? "") (right is worse)"),
    ]
    for (i, method) in methods.enumerated().dropFirst() {
      let y = 18 + 16 * Double(i)
      parts.append(
        "<circle cx=\"\(Int(left) + 5)\" cy=\"\(Int(y) - 4)\" r=\"4\" "
          + "fill=\"\(colours[i % colours.count])\"/>" + text(left + 14, y, "start", method))
    }
    for points in stride(from: least, through: most, by: max(1, ((most - least) / 10).rounded())) {
      parts.append(
        "<line x1=\"\(Int(x(points)))\" x2=\"\(Int(x(points)))\" y1=\"\(Int(top - 8))\" "
          + "y2=\"\(Int(height - 24))\" stroke=\"\(points == 0 ? "#444" : "#ddd")\"/>"
          + text(x(points), height - 10, "middle", "\(Int(points))"))
    }
    for (number, row) in rows.enumerated() {
      let y = top + step * Double(number) + 8
      parts.append(text(left - 8, y + 4, "end", row.task))
      for (i, points) in lost[number].enumerated().dropFirst() {
        guard let points else { continue }
        parts.append(
          "<circle cx=\"\(Int(x(points)))\" cy=\"\(Int(y))\" r=\"4\" fill-opacity=\"0.8\" "
            + "fill=\"\(colours[i % colours.count])\"/>")
      }
    }
    return (parts + ["</svg>", ""]).joined(separator: "\n")
  }
}
