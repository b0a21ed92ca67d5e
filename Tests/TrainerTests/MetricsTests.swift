import Foundation
import Model
import TestSupport
import Testing
import Trainer

@Suite("Metrics against the goldens", .enabled(if: Shared.exists, "\(Shared.missing)"))
struct MetricsTests {
  struct Case: Decodable {
    var gold: [Double]
    var pred: [Double]
    var value: Double
  }

  @Test(arguments: ["accuracy", "macro_f1", "matthews", "pearson", "spearman"])
  func numbers(name: String) throws {
    let cases = try JSONDecoder().decode(
      [String: [Case]].self, from: try Shared.bytes("golden/heads/metrics.json"))
    let list = try #require(cases[name])
    #expect(list.count == 10)
    for one in list {
      let (gold, predicted) = (one.gold.map { Int($0) }, one.pred.map { Int($0) })
      let value =
        switch name {
        case "accuracy": Metrics.accuracy(gold: gold, predicted: predicted)
        case "macro_f1": Metrics.macroF1(gold: gold, predicted: predicted)
        case "matthews": Metrics.matthews(gold: gold, predicted: predicted)
        case "pearson": Metrics.pearson(one.gold, one.pred)
        default: Metrics.spearman(one.gold, one.pred)
        }
      #expect(abs(value - one.value) < 1e-9, "\(one)")
    }
  }

  struct SpanCase: Decodable {
    struct Span: Decodable {
      var type: String
      var start: Int
      var end: Int

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        type = try list.decode(String.self)
        start = try list.decode(Int.self)
        end = try list.decode(Int.self)
      }
    }
    var gold, pred: [[String]]
    var gold_spans, pred_spans: [[Span]]
    var correct, gold_count, pred_count: Int
    var precision, recall, f1: Double
  }

  @Test func spans() throws {
    let cases = try JSONDecoder().decode(
      [SpanCase].self, from: try Shared.bytes("golden/heads/span_f1.json"))
    #expect(cases.count == 26)
    for one in cases {
      for (tags, spans) in zip(one.gold + one.pred, one.gold_spans + one.pred_spans) {
        let expected = spans.map {
          TaggedSpan(type: $0.type, words: $0.start..<$0.end)
        }
        #expect(TagScheme(.bio).spans(of: tags) == expected, "\(tags)")
      }
      let score = SpanF1(TagScheme(.bio), gold: one.gold, predicted: one.pred)
      #expect(score.correct == one.correct)
      #expect((score.gold, score.predicted) == (one.gold_count, one.pred_count))
      #expect(abs(score.precision - one.precision) < 1e-9)
      #expect(abs(score.recall - one.recall) < 1e-9)
      #expect(abs(score.f1 - one.f1) < 1e-9)
    }
  }
}
