internal import Foundation

/// The few marks that pictures of results are made of.
enum SVG {
  struct Frame {
    var x, y, width, height: Double
  }

  private static let colours = [
    "#444444", "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf",
  ]

  /// Of a method by its number; after the seventh they come again.
  static func colour(_ number: Int) -> String { colours[number % colours.count] }

  static func text(
    _ x: Double, _ y: Double, _ text: String, anchor: String = "start", size: Int = 11
  ) -> String {
    let safe = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    return "<text x=\"\(short(x))\" y=\"\(short(y))\" text-anchor=\"\(anchor)\" "
      + "font-size=\"\(size)\">\(safe)</text>"
  }

  static func circle(_ x: Double, _ y: Double, _ radius: Double, _ colour: String) -> String {
    "<circle cx=\"\(short(x))\" cy=\"\(short(y))\" r=\"\(short(radius))\" fill=\"\(colour)\"/>"
  }

  /// Through two points or more.
  static func line(_ points: [(Double, Double)], _ colour: String, width: Double = 1) -> String {
    let path = points.map { "\(short($0.0)),\(short($0.1))" }.joined(separator: " ")
    return "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" "
      + "stroke-width=\"\(short(width))\"/>"
  }

  static func page(width: Double, height: Double, _ parts: [String]) -> String {
    let head = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Int(width))\" height=\"\(Int(height))\" "
        + "font-family=\"sans-serif\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
    ]
    return (head + parts + ["</svg>", ""]).joined(separator: "\n")
  }

  private static func short(_ value: Double) -> String { AccuracyTable.short(value) }
}
