package import Model

/// What one vBERT takes while it trains among many: an estimate from above, made of what is known before
/// anything is allocated.
package struct TrainingNeed: Sendable, Equatable {
  /// Its own, for as long as its wave lasts, and the states that its rows begin from, of which less may be
  /// kept where it trains alone.
  package let own: TrainingBytes
  package let states: Int
  /// Shared with the wave: by turns, the largest counts.
  package let scratch: TrainingBytes

  package init(own: TrainingBytes, states: Int, scratch: TrainingBytes = TrainingBytes()) {
    (self.own, self.states, self.scratch) = (own, states, scratch)
  }

  package var all: TrainingBytes { own + TrainingBytes(device: states) }

  /// Rows, and their tokens.
  package struct Size: Sendable, Equatable {
    package var rows, tokens: Int
    /// Of them those that epochs are measured on.
    package var devRows, devTokens: Int

    package init(rows: Int, tokens: Int, devRows: Int, devTokens: Int) {
      (self.rows, self.tokens) = (rows, tokens)
      (self.devRows, self.devTokens) = (devRows, devTokens)
    }
  }

  /// Copies of the parameters on the device: values, gradients, both moments and the best epoch's values;
  /// and on the host: the first ones, later those that are published, and a file of them being written.
  static let (deviceCopies, hostCopies) = (5, 2)
  /// A row's arrays and places, a tensor's names and places, a label's names; measured, then rounded up.
  static let (rowBytes, tensorBytes, labelBytes) = (320, 2048, 256)
  /// Ids, segments and a tagger's targets.
  static let tokenBytes = 16

  /// `stateWidth`: bytes of a token's frozen state. `scratch`: what computing takes at the token budget.
  /// `effort`: of few rows, whose features are kept, and whose adapters are tuned on parts of them too; nil:
  /// by epochs.
  package init(
    _ spec: VBertSpec, size: Size, base: Configuration, stateWidth: Int, scratch: TrainingBytes,
    effort: Effort? = nil
  ) {
    self =
      if let effort {
        TrainingNeed(
          fewRows: effort, spec, size: size, base: base, stateWidth: stateWidth, scratch: scratch)
      } else {
        TrainingNeed(
          byEpochs: spec, size: size, base: base, stateWidth: stateWidth, scratch: scratch)
      }
  }

  private init(
    byEpochs spec: VBertSpec, size: Size, base: Configuration, stateWidth: Int,
    scratch: TrainingBytes
  ) {
    let layout = AdapterFile.layout(spec, base: base)
    let parameters = TensorLayout(layout).byteCount
    let outputs = spec.task.outputs(labels: spec.labels.count)
    let answers = (spec.task == .tag ? size.devTokens : size.devRows) * outputs
    own = TrainingBytes(
      host: Self.hostCopies * parameters + Self.tensorBytes * layout.count
        + Self.labelBytes * spec.labels.count + Self.rowBytes * size.rows
        + Self.tokenBytes * size.tokens + answers * MemoryLayout<Float>.size,
      // A place among those whose gradients and losses are summed, rounded up.
      device: Self.deviceCopies * parameters + 2048)
    states = size.tokens * stateWidth
    self.scratch = scratch
  }
}

extension TrainingNeed {
  private init(
    fewRows effort: Effort, _ spec: VBertSpec, size: Size, base: Configuration, stateWidth: Int,
    scratch: TrainingBytes
  ) {
    let tunes = effort.tunes(spec)
    var own = spec
    if !tunes { own.adapter = .none }
    let whole = TrainingNeed(
      byEpochs: own, size: size, base: base, stateWidth: stateWidth, scratch: scratch)
    let parts = tunes ? FewRows.adapterFolds + 1 : 1
    // As the encoder gave them, side by side, moved on their way, and for every part of an adapter's anew.
    let features = (spec.task == .tag ? size.tokens : size.rows) * base.hiddenSize * 4
    let answers =
      (spec.task == .tag ? size.tokens : size.rows)
      * spec.task.outputs(labels: spec.labels.count) * 4
    self.init(
      own: TrainingBytes(
        host: parts * whole.own.host + (3 + parts) * features + (2 + parts) * answers,
        device: parts * (whole.own.device + features)), states: 2 * whole.states,
      scratch: scratch + TrainingBytes(device: HeadFit.mostBytes))
  }
}

extension TrainingJob {
  /// Rows and tokens of both parts.
  package var size: TrainingNeed.Size {
    TrainingNeed.Size(
      rows: train.count + dev.count, tokens: train.tokens + dev.tokens, devRows: dev.count,
      devTokens: dev.tokens)
  }
}
