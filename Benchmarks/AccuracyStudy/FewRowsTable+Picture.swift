internal import Foundation

extension FewRowsTable {
  /// Score against rows as SVG: of every kind the means, then a small panel a task.
  package func picture(leastTest: Int = 0) -> String {
    let width = 960.0
    let head =
      "Score (%) against rows (left: of every class, right: in all): means over draws and one "
      + "standard deviation"
    var (y, parts) = (18.0, [SVG.text(10, 18, head)])
    for (i, method) in methods.enumerated() {
      y += 16
      parts.append(SVG.circle(18, y - 4, 4, SVG.colour(i)))
      parts.append(SVG.text(28, y, method))
    }
    for kind in AccuracyTask.Kind.allCases {
      let (means, tasks) = panels(kind, leastTest: leastTest)
      guard !tasks.isEmpty else { continue }
      y += 30
      parts.append(SVG.text(10, y, kind.title, size: 15))
      let cells = Set(rows.filter { $0.kind == kind }.map(\.cell)).sorted()
      for (panels, columns, height) in [(means, 2, 300.0), (tasks, 4, 170.0)] {
        for (number, panel) in panels.enumerated() {
          let size = width / Double(columns)
          let frame = SVG.Frame(
            x: size * Double(number % columns), y: y + height * Double(number / columns) + 10,
            width: size, height: height)
          parts += panel.drawn(in: frame, cells: cells)
        }
        y += height * Double((panels.count + columns - 1) / columns)
      }
    }
    return SVG.page(width: width, height: y + 30, parts)
  }
}

extension FewRowsTable.Panel {
  /// Cells stand at equal distances, those of a class left of those in all; lines do not join the two.
  func drawn(in frame: SVG.Frame, cells: [FewRowsCell]) -> [String] {
    let (left, right) = (frame.x + 44, frame.x + frame.width - 14)
    let (top, bottom) = (frame.y + 22, frame.y + frame.height - 22)
    let perClass = cells.count { if case .perClass = $0 { true } else { false } }
    let gap = perClass > 0 && perClass < cells.count ? 0.5 : 0
    let places = Double(cells.count) + gap
    func x(_ cell: FewRowsCell) -> Double {
      let place = cells.firstIndex(of: cell) ?? 0
      return left + (right - left) * (Double(place) + (place < perClass ? 0 : gap) + 0.5) / places
    }
    let points = lines.joined()
    let low = ((points.map { $0.mean - $0.spread }.min() ?? 0) / 5).rounded(.down) * 5
    let high = max(low + 5, ((points.map { $0.mean + $0.spread }.max() ?? 5) / 5).rounded(.up) * 5)
    func y(_ value: Double) -> Double { bottom - (value - low) / (high - low) * (bottom - top) }
    let step = high - low > 60 ? 20.0 : high - low > 25 ? 10 : 5

    var parts = [SVG.text(frame.x + frame.width / 2, frame.y + 14, title, anchor: "middle")]
    for value in stride(from: low, through: high, by: step) {
      parts.append(SVG.line([(left, y(value)), (right, y(value))], "#dddddd"))
      parts.append(SVG.text(left - 6, y(value) + 4, "\(Int(value))", anchor: "end"))
    }
    for cell in cells {
      parts.append(SVG.text(x(cell), bottom + 15, "\(cell.count)", anchor: "middle", size: 10))
    }
    for (number, line) in lines.enumerated() {
      let colour = SVG.colour(number)
      // Bars of several methods beside each other.
      let aside = (Double(number) - Double(lines.count - 1) / 2) * 2.5
      let sides = [line.filter { $0.cell < .inAll(0) }, line.filter { $0.cell > .inAll(0) }]
      for side in sides where side.count > 1 {
        parts.append(SVG.line(side.map { (x($0.cell) + aside, y($0.mean)) }, colour, width: 1.5))
      }
      for point in line {
        let x = x(point.cell) + aside
        if point.spread > 0 {
          parts.append(
            SVG.line(
              [(x, y(point.mean - point.spread)), (x, y(point.mean + point.spread))], colour))
        }
        parts.append(SVG.circle(x, y(point.mean), 2.5, colour))
      }
    }
    return parts
  }
}
