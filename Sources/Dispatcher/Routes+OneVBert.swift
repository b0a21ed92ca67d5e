internal import Manager
internal import Model
internal import Scheduler

/// What is found behind a vBERT's own path beside the routes that ask it.
extension Dispatcher {
  /// Text Embeddings Inference's /info, of this vBERT instead of the server.
  func info(of name: String?, _ caller: Caller) async throws -> Outcome {
    let vbert = try await find(name, caller)
    let spec = vbert.spec
    var writer = JSONWriter()
    writer.object { object in
      object.member("version", about.version)
      object.member("model_id", vbert.name)
      object.key("model_sha")
      object.null()
      object.member("model_dtype", "float32")
      object.key("model_type")
      object.object { $0.kind(of: spec) }
      object.member("vbert_version", vbert.id.number)
      object.member("task", spec.task.rawValue)
      object.member("base", spec.base)
      object.member("max_input_length", spec.maxLength)
      object.member("max_concurrent_requests", about.queue)
      object.member("max_batch_tokens", about.tokenBudget)
      object.member("max_batch_requests", about.maxSequences)
      object.member("max_client_batch_size", limits.batch)
      object.member("auto_truncate", limits.autoTruncate)
    }
    return Outcome(writer)
  }

  /// Whether the server is well and the vBERT has a version that can be asked.
  func health(of name: String?, _ caller: Caller) async throws -> Outcome {
    _ = try await find(name, caller)
    return try health()
  }

  /// OpenAI's list, of this vBERT alone.
  func models(only name: String?, _ caller: Caller) async throws -> Outcome {
    let found = try await record(name ?? "", caller)
    let tenant = caller.tenant
    return Outcome(
      JSONItems.data(
        1, before: { $0.member("object", "list") }, after: { $0.member("has_more", false) }
      ) { _, list in list.model(found, asked: tenant) })
  }
}

extension JSONWriter {
  /// What TEI says of a model of that kind.
  fileprivate mutating func kind(of spec: VBertSpec) {
    switch spec.task {
    case .embed:
      key("embedding")
      object { $0.member("pooling", spec.pooling.name) }
    case .classify, .multilabel, .score, .tag:
      key(spec.task == .score ? "reranker" : "classifier")
      let labels = (0..<max(1, spec.labels.count)).map(spec.label)
      object { object in
        object.key("id2label")
        object.object { ids in
          for (id, label) in labels.enumerated() { ids.member("\(id)", label) }
        }
        object.key("label2id")
        object.object { ids in
          for (id, label) in labels.enumerated() { ids.member(label, id) }
        }
      }
    }
  }
}
