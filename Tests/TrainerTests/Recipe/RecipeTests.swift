import Compute
import Model
import Testing

@testable import Trainer

/// The decisions of training on few rows.
@Suite struct RecipeTests {
  @Test func foldsSpreadEveryClass() {
    let classes = (0..<103).map { Int32($0 < 60 ? 0 : $0 < 100 ? 1 : 2) }
    let folds = Folds(rows: 103, classes: classes, count: 5, seed: 4)
    for fold in 0..<5 {
      let held = folds.held(in: fold)
      #expect((20...21).contains(held.count))
      #expect(held.count { classes[$0] == 0 } == 12 && held.count { classes[$0] == 1 } == 8)
      #expect(Set(folds.learnt(without: fold)).isDisjoint(with: held))
      #expect(folds.learnt(without: fold).count + held.count == 103)
    }
    #expect(folds == Folds(rows: 103, classes: classes, count: 5, seed: 4))
    #expect(folds != Folds(rows: 103, classes: classes, count: 5, seed: 5))

    // Copies go with the first of them, and classes are spread as if they were not there.
    let firsts = (0..<103).map { $0 < 60 ? $0 : $0 - 60 }
    let together = Folds(rows: 103, classes: classes, count: 5, seed: 4, firsts: firsts)
    #expect((60..<103).allSatisfy { together.fold[$0] == together.fold[$0 - 60] })
    #expect(Set(together.fold.prefix(60)) == Set(0..<5))
  }

  @Test(arguments: [
    ("card_arrival", "card arrival"), ("bookFlight", "book Flight"), ("O'Reilly", "O'Reilly"),
    ("ABBR", "ABBR"), ("topic 3", "topic 3"), ("a/b", nil), ("1", nil), ("--", nil),
    ("no-thanks!", "no thanks"), ("naïve café", "naïve café"),
  ]) func labelsAreWords(label: String, words: String?) {
    #expect(LabelText.words(label) == words)
  }

  @Test func labelsThatSayNothingGiveNoTexts() {
    #expect(LabelText.texts(["good", "bad"]) == ["good", "bad"])
    #expect(LabelText.texts(["1", "2"]) == nil)
    #expect(LabelText.texts(["good", "2"]) == nil)
    #expect(LabelText.texts(["get_card", "get card"]) == nil)
  }

  /// Another way must be better by more than chance.
  @Test func choosesByMoreThanChance() {
    let known = (0..<40).map { Double($0 % 2) }
    var better = known
    better[0] = 1
    #expect(HeadChoice.best([known, better], errors: 2) == 0)
    #expect(HeadChoice.best([known, better], errors: 0.5) == 1)
    for i in 0..<16 { better[i] = 1 }
    #expect(HeadChoice.best([known, better], errors: 2) == 1)
    #expect(HeadChoice.best([better, known], errors: 0) == 0)
    #expect(HeadChoice.best([known, known, better], errors: 2) == 2)
    #expect(HeadChoice.best([[]], errors: 2) == 0)
    #expect(HeadChoice.best([[1], [1]], errors: 0) == 0)
  }

  /// Left out where it is as good to the row, or worse by more than chance.
  @Test func anAdapterIsWorthAChance() {
    let alone = (0..<40).map { Double($0 % 2) }
    #expect(!HeadChoice.isWorth(alone, over: alone))
    var other = alone
    (other[0], other[2], other[1]) = (1, 1, 0)
    #expect(HeadChoice.isWorth(other, over: alone))
    #expect(HeadChoice.isWorth(alone, over: other) == false)
    (other[0], other[2], other[1], other[3]) = (1, 0, 0, 1)
    #expect(HeadChoice.isWorth(other, over: alone))
    #expect(!HeadChoice.isWorth((0..<40).map { _ in 0 }, over: alone))
  }

  @Test func whoNamesEpochsGetsEpochs() {
    #expect(TrainingWish.byEpochs.effort(.classify, rows: 10) == nil)
    #expect(TrainingWish.effort(nil).effort(.classify, rows: 5000) == .full)
    #expect(TrainingWish.effort(nil).effort(.classify, rows: 5001) == nil)
    #expect(TrainingWish.effort(nil).effort(.tag, rows: 1000) == .full)
    #expect(TrainingWish.effort(nil).effort(.tag, rows: 1001) == nil)
    #expect(TrainingWish.effort(.full).effort(.score, rows: 10) == .full)
    #expect(TrainingWish.effort(.full).effort(.embed, rows: 10) == nil)
    #expect(TrainingWish.effort(.quick).effort(.tag, rows: 100_000) == .quick)
    #expect(TrainingWish.effort(.quick).effort(.embed, rows: 10) == nil)
    #expect(TrainingWish.quickly.effort(.score, rows: 10_000) == .quick)
    #expect(TrainingWish.quickly.effort(.embed, rows: 10) == nil)
  }

  @Test func moreRowsTakeMoreSteps() {
    func spec(_ task: VBertTask, _ input: InputKind?) -> VBertSpec {
      var spec = VBertSpec(task: task, base: "b", baseHash: "", adapter: .none)
      spec.input = input
      return spec
    }
    for fitted in [spec(.tag, nil), spec(.score, .pair), spec(.classify, .pair)] {
      #expect(FewRows.course(fitted, rows: 20) == (300, 5e-4))
      #expect(FewRows.course(fitted, rows: 3200) == (1000, 5e-4) && fitted.tuned.pooling == .mean)
    }
    let classifier = spec(.classify, .text)
    #expect(classifier.tuned.pooling == .normalizedMean)
    #expect(FewRows.course(classifier, rows: 20) == (30, 1e-3))
    #expect(FewRows.course(classifier, rows: 1000) == (100, 5e-4))
    #expect(FewRows.course(classifier, rows: 5000) == (300, 5e-4))
    #expect(TrainingOptions().epochs(rows: 96) == 100)
    #expect(TrainingOptions().epochs(rows: 480) == 20)
    #expect(TrainingOptions().epochs(rows: 10_000) == 10)
  }

  @Test func saysWhatItChoseAndWhy() throws {
    var recipe = TrainingRecipe(
      effort: .full, rows: 112, labels: 14,
      candidate: HeadCandidate(strength: 10, usesNames: true),
      adapter: try AdapterSpec(parsing: "lora:8@query"), steps: 30, metric: "accuracy",
      headScore: 0.8912, adapterScore: 0.9104, folds: 2, measured: .crossValidation)
    let text = "\(recipe)"
    #expect(
      text.hasPrefix(
        "112 rows, 14 labels: head solved, C = 10, labels' names learnt too, adapter lora:8")
    )
    #expect(text.hasSuffix("accuracy 0.91 against 0.891 for the head alone"))
    recipe.choice = TrainingRecipe.Choice(name: "right words", head: 0.97, adapter: 0.98)
    #expect("\(recipe)".hasSuffix("head alone, told by right words: 0.98 against 0.97"))
    recipe.choice = nil
    recipe.adapter = .none
    #expect(
      "\(recipe)".hasSuffix("0.891 alone, 0.91 with one tuned 30 steps), measured in 5 parts"))
    recipe.adapterScore = nil
    #expect("\(recipe)".hasSuffix("cross-validated in 2 parts: accuracy 0.891"))
  }

  /// (d - u (u . d)) / |x|, by differences.
  @Test func unitRowsBackward() {
    let (x, d): ([Float], [Float]) = (
      [3, -1, 2, 0.5, 0.25, -4, 0, 0, 0], [1, 2, -1, 0, 3, 1, 1, 1, 1]
    )
    let rows = UnitRows(x, columns: 3)
    #expect(rows.values[6...].allSatisfy { $0 == 0 })
    let found = rows.backward(d)
    func value(_ x: [Float]) -> Double { Vector.dot(UnitRows(x, columns: 3).values, d) }
    for i in 0..<6 {
      var (up, down) = (x, x)
      up[i] += 1e-2
      down[i] -= 1e-2
      #expect(abs((value(up) - value(down)) / 0.02 - Double(found[i])) < 1e-3)
    }
  }
}
