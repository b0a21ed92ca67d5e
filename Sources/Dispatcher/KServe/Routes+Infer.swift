internal import Manager
internal import Model
internal import Scheduler

extension Dispatcher {
  /// The Open Inference Protocol's infer. `name`: who is asked, perhaps with a version.
  func infer(_ request: InferRequest, _ name: String, _ caller: Caller) async throws -> Outcome {
    let vbert = try await find(name, caller)
    let dialect = Dialect.infer(vbert.spec.task, at: "/v2/models/\(vbert.name)/infer")
    let members = try Members(parameters: request.parameters, dialect)
    let (answer, tensors) = try await outputs(of: vbert, request, members, caller)
    let wanted =
      request.outputs
      ?? tensors.map { InferRequest.Wanted(name: $0.name, isBinary: request.isBinary) }
    let reply = InferAnswer(
      vbert: vbert.name.split(separator: "@").first.map(String.init) ?? vbert.name,
      version: vbert.id.number, id: request.id, count: answer.replies.count,
      tensors: try wanted.map { wanted in
        guard let tensor = tensors.first(where: { $0.name == wanted.name }) else {
          throw APIError.refused(
            "\(vbert.name) has no output \(clipped(wanted.name)); it has "
              + tensors.map(\.name).joined(separator: ", "), param: "outputs")
        }
        return (tensor, wanted.isBinary)
      })
    guard reply.tensors.contains(where: \.isBinary) else {
      return Outcome(reply.pieces, answer.fields)
    }
    let (json, bytes) = try await work(caller, bytes: caller.isLarge ? 1 << 16 : 0) { _ in
      reply.binary()
    }
    return Outcome(tensors: json, bytes, answer.fields)
  }

  private func outputs(
    of vbert: PinnedVBert, _ request: InferRequest, _ members: Members, _ caller: Caller
  ) async throws -> (Answer, [AnswerTensor]) {
    let spec = vbert.spec
    let reading = try Reading(members)
    if request.pairs != nil, [.embed, .tag].contains(spec.task) {
      throw APIError.wrongTask(
        "\(vbert.name) is a vBERT for \(spec.task.rawValue): it takes texts, not pairs")
    }
    switch spec.task {
    case .embed:
      let dimensions = try Dimensions(members)
      let normalize = try members.flag("normalize") ?? true
      let pin = try await pin(vbert, caller)
      let hidden = pin.base.configuration.hiddenSize
      try dimensions?.check(hidden: hidden, trained: spec.dimensions)
      let answer = try await ask(
        vbert, request.texts.map(TextInput.text), reading, caller, on: pin)
      return (answer, [.embedding(answer, dimensions?.count, hidden, normalize: normalize)])
    case .classify, .multilabel, .score:
      let function = try ScoreFunction.asked(members)
      let inputs =
        request.pairs.map { zip(request.texts, $0).map { TextInput.pair($0, $1) } }
        ?? request.texts.map(TextInput.text)
      let answer = try await ask(vbert, inputs, reading, caller)
      let scores = AnswerTensor.scores(answer, function)
      return (answer, spec.task == .score ? [scores] : [.label(answer), scores])
    case .tag:
      let (answer, entities) = try await tagged(
        vbert, request.texts.map(TextInput.running), try Tagging(members), reading, caller)
      let tags = AnswerTensor(
        name: "tags",
        rows: .texts { row in
          var writer = JSONWriter()
          entities(row, &writer)
          return String(decoding: writer.bytes, as: UTF8.self)
        })
      return (answer, [tags])
    }
  }
}

extension AnswerTensor {
  fileprivate static func embedding(
    _ answer: Answer, _ dimensions: Int?, _ hidden: Int, normalize: Bool
  ) -> AnswerTensor {
    AnswerTensor(
      name: "embedding",
      rows: .numbers(width: dimensions ?? hidden) { row in
        answer.replies[row].vector(dimensions: dimensions, normalize: normalize)
      })
  }

  /// The best of each text.
  fileprivate static func label(_ answer: Answer) -> AnswerTensor {
    AnswerTensor(
      name: "label",
      rows: .texts { answer.vbert.spec.label(answer.replies[$0].order.first ?? 0) })
  }

  /// In the order of the vBERT's labels.
  fileprivate static func scores(_ answer: Answer, _ function: ScoreFunction?) -> AnswerTensor {
    let spec = answer.vbert.spec
    let width = answer.replies.first?.values(spec.task, function).count ?? 1
    return AnswerTensor(
      name: "scores",
      rows: .numbers(width: width) { answer.replies[$0].values(spec.task, function) })
  }
}
