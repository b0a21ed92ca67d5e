import Compute
import Foundation
import Manager
import Model
import Testing

@testable import Trainer

/// What a look at a file's rows finds, and OpenAI's chats as a classifier's rows.
@Suite struct RowsReportTests {
  private func report(_ text: String) throws -> RowsReport { try report(Data(text.utf8)) }

  private func report(_ bytes: Data) throws -> RowsReport {
    let file = FileManager.default.temporaryDirectory.appending(path: "rows-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try bytes.write(to: file)
    return try RowsReport(rows: file.path())
  }

  private func problem(_ text: String) -> String {
    do { return "\(try report(text))" } catch { return "\(error)" }
  }

  @Test(arguments: [
    (#"{"text": "a", "label": "x"}"#, VBertTask.classify, 1, InputKind?.some(.text)),
    (#"{"text": "a", "text_pair": "b", "label": 1}"#, .classify, 1, .pair),
    (#"{"text": "a", "labels": ["x", "y"]}"#, .multilabel, 2, .text),
    (#"{"text": "a", "text_pair": "b", "score": 0.5}"#, .score, 0, .pair),
    (#"{"tokens": ["a", "b"], "tags": ["O", "B-x"]}"#, .tag, 2, nil),
    (#"{"text": "a", "text_pair": "b"}"#, .embed, 0, .text),
    (#"{"anchor": "a", "positive": "b", "negative": "c"}"#, .embed, 0, .text),
    (
      #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "x"}]}"#,
      .classify, 1, .text
    ),
  ])
  func theFirstRowSaysWhatItIs(
    row: String, task: VBertTask, labels: Int, input: InputKind?
  ) throws {
    let found = try report("\n\(row)\n\(row)\n")
    #expect(found.task == task && found.rows == 2 && found.labelCount == labels)
    #expect(found.input == input)
    #expect(found.labels.values.allSatisfy { $0 == 2 })
  }

  @Test func whatIsWrongIsSaidWithItsLine() {
    let row = #"{"text": "a", "label": "x"}"#
    #expect(problem("\(row)\n\n{\"text\": \"b\"}\n").hasPrefix("line 3: \"label\" is missing"))
    #expect(problem("").contains("no rows"))
    #expect(problem("text,label\na,b\n").hasPrefix("line 1: "))
    #expect(problem(#"{"text": "a"}"#).hasPrefix("line 1: \"label\" is missing"))
    #expect(
      problem(
        "{\"text\": \"a\", \"text_pair\": \"b\"}\n{\"anchor\": \"a\", \"positive\": \"b\", \"negative\": \"c\"}"
      )
      .hasPrefix("line 2: another kind of row than line 1"))
    #expect(throws: RowsProblem.self) { try report(Data([0x1F, 0x8B, 8])) }
    #expect(throws: RowsProblem.self) { try report(Data([0, 0xFF, 0])) }
  }

  @Test func manyLabelsAreCountedAndTheMostFrequentShown() throws {
    let rows =
      (0..<300).map { #"{"text": "a", "label": "l\#($0)"}"# } + [
        #"{"text": "a", "label": "l299"}"#
      ]
    let found = try report(rows.joined(separator: "\n"))
    #expect(found.labelCount == 300 && found.labels.count == RowsReport.mostShown)
    #expect(found.labels["l299"] == 2)
  }

  private func row(_ messages: String, labelled: Bool = true) throws -> DataRow {
    try DataRow(
      json: Array("{\"messages\": \(messages)}".utf8), line: 1, task: .classify,
      labelled: labelled)
  }

  @Test func chatsAreRows() throws {
    let one = try row(
      """
      [{"role": "system", "content": "Sort."}, {"role": "user", "content": [
        {"type": "text", "text": "a "}, {"type": "text", "text": "b"}]},
       {"role": "assistant", "content": "no"}, {"role": "user", "content": "c"},
       {"role": "assistant", "content": " yes\\n", "weight": 1}]
      """)
    #expect(one.input == .text("a b\nc") && one.target == .label("yes"))
    let asked = try row(#"[{"role": "user", "content": "a"}]"#, labelled: false)
    #expect(asked.input == .text("a") && asked.target == nil)
  }

  @Test(arguments: [
    #"[]"#, #""a""#, #"[{"role": "user", "content": "a"}]"#,
    #"[{"role": "assistant", "content": "a"}]"#, #"[{"content": "a"}]"#,
    #"[{"role": "tool", "content": "a"}]"#,
    #"[{"role": "user", "content": "a"}, {"role": "assistant", "content": "  "}]"#,
    #"[{"role": "user", "content": "a"}, {"role": "assistant"}]"#,
    #"[{"role": "user", "content": [{"type": "image_url"}]}, {"role": "assistant", "content": "x"}]"#,
  ])
  func chatsThatTeachNothingAreRefused(messages: String) {
    #expect(throws: DataRowProblem.self) { try row(messages) }
  }
}

/// How long training waits beside others' work.
@Suite struct TrainingLeaseTests {
  @Test(arguments: [0.25, 0.5, 1.0]) func itTakesItsShare(share: Double) {
    var lease = TrainingLease(share: share)
    var (now, worked, waited) = (Duration.zero, Duration.zero, Duration.zero)
    #expect(lease.wait(at: now, isBusy: true) == .zero, "nothing was done yet")
    for step in 1...100 {
      let work = Duration.milliseconds(step % 7 + 1)
      (now, worked) = (now + work, worked + work)
      let pause = lease.wait(at: now, isBusy: true)
      (now, waited) = (now + pause, waited + pause)
    }
    #expect(abs(worked / (worked + waited) - share) < 1e-6)
  }

  @Test func aloneItTakesAll() {
    var lease = TrainingLease(share: 0.1)
    for second in 0..<10 { #expect(lease.wait(at: .seconds(second), isBusy: false) == .zero) }
    #expect(
      lease.wait(at: .seconds(9) + .milliseconds(50), isBusy: true) / .milliseconds(450) > 0.999)
    // A long step is not paid for without end.
    #expect(lease.wait(at: .seconds(100), isBusy: true) == .seconds(2))
  }
}

/// A request over HTTP as `vbert train` would be asked for it.
@Suite struct FineTuningWishTests {
  private let spec = VBertSpec(
    task: .classify, base: "b", baseHash: "", adapter: .standard(for: .classify), pooling: .mean,
    labels: [], maxLength: 128)

  @Test func whatIsSaidIsAsked() throws {
    var wish = FineTuningWish(trainingFile: "f")
    var request = try wish.request(VBertName("a"), spec, data: "f", dev: nil)
    #expect(request.wish == .effort(nil) && request.rate == nil && request.options.seed == 1)
    (wish.effort, wish.rateFactor, wish.seed) = ("full", 2, 9)
    request = try wish.request(VBertName("a"), spec, data: "f", dev: nil)
    #expect(request.wish == .effort(.full) && request.options.seed == 9)
    #expect(request.rate == 2 * TrainingOptions.rate(for: spec))
    wish = FineTuningWish(trainingFile: "f")
    (wish.epochs, wish.batch) = (3, 8)
    request = try wish.request(VBertName("a"), spec, data: "f", dev: "d")
    #expect(request.wish == .byEpochs && request.options.epochs == 3 && request.dev == "d")
  }

  @Test func whatIsNotPossibleIsRefused() {
    func problem(_ change: (inout FineTuningWish) -> Void) -> Bool {
      var wish = FineTuningWish(trainingFile: "f")
      change(&wish)
      return (try? wish.request(VBertName("a"), spec, data: "f", dev: nil)) == nil
    }
    #expect(problem { $0.epochs = 0 } && problem { $0.batch = 5000 } && problem { $0.rate = -1 })
    #expect(problem { $0.rate = .nan } && problem { $0.dropout = 1 } && problem { $0.steps = 0 })
    #expect(problem { $0.effort = "much" } && problem { $0.loss = "none" })
    #expect(
      problem {
        $0.effort = "quick"
        $0.epochs = 3
      })
    #expect(problem { $0.limit = 0 } && problem { $0.patience = -1 })
  }

  @Test func rowsAndVBertsGoTogether() throws {
    let rules = FineTuningRules()
    let wish = FineTuningWish(trainingFile: "f")
    try rules.check(wish, spec, RowsReport(task: .classify, rows: 3))
    #expect(throws: FineTuningProblem.otherRows(.tag, task: .classify)) {
      try rules.check(wish, spec, RowsReport(task: .tag, rows: 3))
    }
    var embedder = spec
    embedder.task = .embed
    try rules.check(wish, embedder, RowsReport(task: .classify, rows: 3))
    embedder.adapter = .none
    #expect(throws: FineTuningProblem.nothingToTrain) {
      try rules.check(wish, embedder, RowsReport(task: .embed, rows: 3))
    }
  }
}
