internal import Hummingbird
internal import Model
internal import Scheduler

extension Dispatcher {
  /// Tokens as the named vBERT's base has them, or the only base's where none is named.
  @Sendable func tokenize(_ call: Call) async throws -> Response {
    let body = try await body(call, as: TokenizeBody.self)
    guard !body.inputs.texts.isEmpty else { throw APIError.empty }
    guard body.inputs.texts.count <= limits.batch else {
      throw APIError.batchTooLarge(count: body.inputs.texts.count, most: limits.batch)
    }
    let tokenizer = try tokenizer(body.vbertName, call)
    var writer = JSONWriter()
    writer.array { list in
      for text in body.inputs.texts {
        let encoding = tokenizer.encode(text, addSpecialTokens: body.add_special_tokens ?? true)
        let scalars = Array(text.unicodeScalars)
        list.array { tokens in
          for i in 0..<encoding.count { tokens.token(i, of: encoding, scalars, tokenizer) }
        }
      }
    }
    return Response(json: writer)
  }

  private func tokenizer(_ name: String?, _ call: Call) throws -> any Tokenizer {
    if name != nil { return try engine(of: find(name, call)).tokenizer }
    let bases = engines.loaded
    guard bases.count == 1 else {
      throw APIError.invalid("say whose tokens: the server has several bases", param: "model")
    }
    return bases[0].tokenizer
  }
}

extension JSONWriter {
  /// start and stop in code points; null for tokens that were added.
  fileprivate mutating func token(
    _ index: Int, of encoding: Encoding, _ scalars: [Unicode.Scalar], _ tokenizer: any Tokenizer
  ) {
    let (id, span) = (encoding.ids[index], encoding.spans[index])
    let isAdded = encoding.isAdded(index)
    object { token in
      token.member("id", Int(id))
      if isAdded {
        token.member("text", tokenizer.token(id) ?? "")
      } else {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[Int(span.start)..<Int(span.end)])
        token.member("text", String(view))
      }
      token.member("special", isAdded)
      token.key("start")
      if isAdded { token.null() } else { token.number(Int(span.start)) }
      token.key("stop")
      if isAdded { token.null() } else { token.number(Int(span.end)) }
    }
  }
}
