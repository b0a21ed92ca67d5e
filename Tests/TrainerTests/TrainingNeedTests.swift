import Model
import Testing
import Trainer

/// Memory as it is foreseen before anything is allocated.
@Suite struct TrainingNeedTests {
  private let base = Configuration(
    vocabularySize: 100, hiddenSize: 64, layerCount: 4, headCount: 4, intermediateSize: 128,
    maxPositions: 32, skipDepth: 2)

  private func spec(_ adapter: String, labels: Int = 16, task: VBertTask = .classify) throws
    -> VBertSpec
  {
    VBertSpec(
      task: task, base: "b", baseHash: "", adapter: try AdapterSpec(parsing: adapter),
      labels: (0..<labels).map { "label\($0)" }, maxLength: 32)
  }

  private func need(
    _ spec: VBertSpec, rows: Int = 0, tokens: Int = 0, devRows: Int = 0, devTokens: Int = 0
  ) -> TrainingNeed {
    TrainingNeed(
      spec, size: .init(rows: rows, tokens: tokens, devRows: devRows, devTokens: devTokens),
      base: base, stateWidth: 256, scratch: TrainingBytes(device: 7))
  }

  /// Two layers and two sites of 2 x 32 x 64 weights, and a head of 16 x 64: values, gradients, two moments
  /// and the best epoch's values on the device, two copies on the host.
  @Test func parametersAreCountedInAllTheirCopies() throws {
    let weights = 4 * (2 * 2 * (2 * 32 * 64 + 32 + 64) + 16 * 64 + 16)
    let need = need(try spec("bottleneck:32@both"))
    #expect(need.own.device >= 5 * weights && need.own.device <= 5 * weights + 8192)
    let small = 18 * 2048 + 16 * 256
    #expect(need.own.host >= 2 * weights && need.own.host <= 2 * weights + small + 8192)
    #expect(need.states == 0 && need.scratch == TrainingBytes(device: 7))
  }

  @Test func aHeadAloneIsSmall() throws {
    let (head, adapter) = (need(try spec("none")), need(try spec("lora:32")))
    #expect(head.own.device < 32 << 10 && adapter.own.device > 5 * head.own.device)
  }

  @Test func rowsCountOnTheHostAndTheirStatesOnTheDevice() throws {
    let spec = try spec("none")
    let (few, many) = (
      need(spec, rows: 100, tokens: 1000), need(spec, rows: 100_000, tokens: 1_000_000)
    )
    #expect(many.states == 256_000_000 && few.states == 256_000)
    #expect(many.own.device == few.own.device)
    // At least ids and segments, and the arrays that hold them.
    #expect(many.own.host - few.own.host >= 999_000 * 8 + 99_900 * 200)
  }

  /// A tagger answers for every token of its dev rows, others once a row.
  @Test func answersAreCounted() throws {
    let few = need(try spec("none"), devRows: 10, devTokens: 1000)
    let many = need(try spec("none", task: .tag), devRows: 10, devTokens: 1000)
    #expect(many.own.host - few.own.host == (1000 - 10) * 16 * 4)
  }

  @Test func theFloorGrowsWithBaseListAndMemory() {
    let memory = TrainingMemory.shared(8 << 30)
    let one = TrainingFloor(base, lines: 1, rowCache: 1 << 20, memory: memory)
    let weights = base.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) } * 4
    #expect(one.base.device == 3 * weights && one.base.host > weights + (1 << 20) + one.reading)
    let long = TrainingFloor(base, lines: 100_001, rowCache: 1 << 20, memory: memory)
    #expect(long.base.host - one.base.host >= 100_000 * 1024)
    #expect(one.reading == 256 << 20)
    let small = TrainingFloor(base, lines: 1, rowCache: 0, memory: .shared(64 << 20))
    #expect(small.reading == 4 << 20)
  }

  /// A batch is smaller where the memory is, but never cuts a step that one alone takes in one piece.
  @Test func batchesAreAsLargeAsTheMemoryHolds() {
    func tokens(_ memory: TrainingMemory) -> Int {
      TrainingFloor.tokens(
        4096, atLeast: 2048, scratch: TrainingBytes(device: 1000), memory: memory)
    }
    #expect(tokens(.shared(1 << 40)) == 4096)
    #expect(tokens(.shared(4 * 3000 * 1000)) == 3000)
    #expect(tokens(.shared(1 << 20)) == 2048)
    #expect(tokens(.apart(host: 1 << 40, device: 4 * 3000 * 1000)) == 3000)
  }

  @Test func scratchGrowsWithTokensAndAdapter() throws {
    let (thin, wide) = (try spec("lora:2"), try spec("lora:64"))
    let few = TrainingFloor.scratch(tokens: 100, thin, base: base)
    let many = TrainingFloor.scratch(tokens: 1000, thin, base: base)
    #expect(many.device > 8 * few.device && many.device < 12 * few.device)
    #expect(TrainingFloor.scratch(tokens: 100, wide, base: base).device > few.device)
  }

  @Test func whatWouldBeEnoughIsSaidInTheFlagsWords() {
    let needed = TrainingBytes(host: 60 << 20, device: 50 << 20)
    #expect(TrainingMemory.shared(1).enough(for: needed) == "200M")
    #expect(TrainingMemory.shared(1).enough(for: TrainingBytes(host: 250 << 20)) == "400M")
    #expect(TrainingMemory.apart(host: 1, device: 1).enough(for: needed) == "100M")
    #expect(!TrainingMemory.shared(110 << 20 - 1).holds(needed))
    #expect(TrainingMemory.apart(host: 60 << 20, device: 50 << 20).holds(needed))
  }
}
