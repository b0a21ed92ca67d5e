internal import Foundation

/// What a bench measured, line by line: shown as it comes, kept for JSON.
package struct BenchReport: Encodable {
  /// Batches of one kind.
  package struct Throughput: Encodable {
    /// What is measured: "throughput", "lengths", "table"...
    package let section: String
    /// "BERT-base", "MiniLM".
    package let shape: String
    package let what: String
    package let batch: Int
    /// Tokens a batch.
    package let tokens: Int
    /// Median and best of the runs.
    package let sequencesPerSecond: Double
    package let bestSequencesPerSecond: Double
    package let milliseconds: Double
    /// From ids on the host to scores on the host, one batch at a time, median.
    package var hostToHostMilliseconds: Double?
    /// Of these, until the host had asked for the last kernel.
    package var launchMilliseconds: Double?
    /// Of the products alone at 700 TFLOP/s.
    package var shareOfCeiling: Double?
    /// Scores were numbers.
    package var isFinite = true
  }

  /// One operation by itself.
  package struct Operation: Encodable {
    package let name: String
    package let rows: Int
    package let milliseconds: Double
    package let gigabytesPerSecond: Double
    package let teraflops: Double
  }

  package var device: String
  package var nvidiaSMI: String?
  package var throughput: [Throughput] = []
  package var operations: [Operation] = []

  package init(device: String, nvidiaSMI: String?) {
    self.device = device
    self.nvidiaSMI = nvidiaSMI
  }
}

extension BenchReport.Throughput {
  static let header =
    "section     shape      what                               batch  tokens    seq/s (best)"
    + "          ms   host-host   launches  of ceiling"

  /// A line of the table.
  var line: String {
    func cell(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    func number(_ value: Double?, _ format: String, _ width: Int) -> String {
      let text = value.map { String(format: format, $0) } ?? "-"
      return String(repeating: " ", count: max(1, width - text.count)) + text
    }
    return cell(section, 12) + cell(shape, 11) + cell(what, 34)
      + number(Double(batch), "%.0f", 6) + number(Double(tokens), "%.0f", 8)
      + number(sequencesPerSecond, "%.0f", 9) + number(bestSequencesPerSecond, "(%.0f)", 10)
      + number(milliseconds, "%.3f", 9) + number(hostToHostMilliseconds, "%.3f", 10)
      + number(launchMilliseconds, "%.3f", 11)
      + number(shareOfCeiling.map { 100 * $0 }, "%.1f%%", 10) + (isFinite ? "" : "  NOT FINITE")
  }
}

extension BenchReport.Operation {
  var line: String {
    let name = self.name + String(repeating: " ", count: max(1, 26 - self.name.count))
    return String(
      format: "%8d rows  ", rows) + name
      + String(
        format: "%9.4f ms %7.0f GB/s %7.1f TFLOP/s", milliseconds, gigabytesPerSecond, teraflops)
  }
}
