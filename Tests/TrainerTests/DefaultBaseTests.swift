import Compute
import ComputeCPU
import Foundation
import Manager
import Model
import TestSupport
import Testing

@testable import Trainer

/// The distilled base that comes with the repository.
@Suite("Models/minilm-skip2", .enabled(if: MiniLM.exists, "\(MiniLM.missing)"))
struct DefaultBaseTests {
  private let models = Resources.packageRoot.appending(path: "Models")

  /// With the ordinary base it is a skip base that answers nearly as that one does.
  @Test func answersAsItsTeacher() throws {
    let home = Home(
      option: FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path())
    defer { try? FileManager.default.removeItem(at: home.root) }
    let store = BaseStore(home: home)
    _ = try store.importBase(from: MiniLM.directory.path(), name: "minilm")
    let record = try store.addDistilled(
      models.appending(path: "minilm-skip2.safetensors").path(), base: "minilm", name: nil)
    #expect(record.name == "minilm-skip2" && record.label == "skip 2")
    let (dense, skip) = (try store.load("minilm"), try store.load("minilm-skip2"))
    let backend = try CPUBackend(threads: 2)
    let texts = [
      "The committee will publish its report on Thursday.", "how do i reset my card pin",
      "Aspirin lowers the risk of a second heart attack in most patients.",
    ]
    let measure = DistillationMeasure(
      try texts.map { try TokenSequence(dense.tokenizer.encode($0), for: dense.configuration) },
      budget: 128)
    let (_, cosine) = try measure.run(
      teacher: try Teacher(
        source: dense.weights, configuration: dense.configuration, backend: backend,
        tokenBudget: 128),
      student: try BaseTraining(
        source: skip.weights, configuration: skip.configuration, freezesWords: true,
        backend: backend, tokenBudget: 128,
        lossBytes: DistillationLoss.bytes(rows: 128, hidden: 384)),
      loss: DistillationLoss(
        weights: DistillationOptions.LossWeights(), backend: backend, heads: 12))
    #expect(cosine > 0.96, "\(cosine)")
  }

  @Test func listOfNGramsIsOfItsVocabulary() throws {
    let tokenizer = try WordPiece(
      tokenizerJSON: nil, vocabulary: Array(try MiniLM.bytes("vocab.txt")), configuration: nil)
    let grams = try NGramList.read(
      models.appending(path: "minilm-skip2.ngrams.txt.gz").path(), tokenizer: tokenizer)
    #expect(grams.count == 500_000)
    #expect(grams.contains(NGram(101, 2023, 2003)), "[CLS] this is")
  }
}
