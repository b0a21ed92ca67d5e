internal import Model
internal import Scheduler

extension Dispatcher {
  /// Tokens as the named vBERT's base has them, or the only base's where none is named.
  @Sendable func tokenize(_ body: TokenizeBody, _ caller: Caller) async throws -> Outcome {
    guard !body.inputs.texts.isEmpty else { throw APIError.empty }
    try checkCount(body.inputs.texts.count)
    let tokenizer = try await tokenizer(body.vbertName, caller)
    let encodings = try await tokens(
      of: body.inputs.texts, tokenizer, special: body.addsSpecialTokens, caller)
    return Outcome(TokenPieces(tokenizer, body.inputs.texts, encodings))
  }

  private func tokenizer(_ name: String?, _ caller: Caller) async throws -> WordPiece {
    if name != nil { return try await pin(find(name, caller), caller).base.tokenizer }
    let bases = bases.loaded
    guard bases.count == 1 else {
      throw APIError.invalid(
        "say whose tokens: the server has \(bases.isEmpty ? "loaded no base yet" : "several bases")",
        param: "model")
    }
    return bases[0].tokenizer
  }

  /// In stretches of 64 KB, between which others have their turn. Throws `APIError.tooManyTokens`.
  private func tokens(
    of texts: [String], _ tokenizer: WordPiece, special: Bool, _ caller: Caller
  ) async throws -> [Encoding] {
    var encodings: [Encoding] = []
    var room = limits.tokenizeTokens
    for text in texts {
      var reader = tokenizer.reader(text)
      while !reader.isAtEnd {
        let (begun, most) = (reader, room)
        reader = try await work(caller, bytes: caller.isLarge ? 1 << 16 : 0) { check in
          var reader = begun
          try check()
          try reader.read(past: most, bytes: 1 << 16) { try check() }
          return reader
        }
        if reader.count > room { throw APIError.tooManyTokens(most: limits.tokenizeTokens) }
      }
      room -= reader.count
      encodings.append(
        tokenizer.encode(&reader, maxLength: nil, addSpecialTokens: special) {})
    }
    return encodings
  }
}

/// The answer: a list of tokens for each text, a token a piece.
private struct TokenPieces: JSONPieces {
  private let tokenizer: WordPiece
  private let texts: [String]
  private let encodings: [Encoding]
  private var text = 0
  private var token = 0
  /// How far the text was walked, in code points too.
  private var index: String.Index
  private var place = 0

  init(_ tokenizer: WordPiece, _ texts: [String], _ encodings: [Encoding]) {
    (self.tokenizer, self.texts, self.encodings) = (tokenizer, texts, encodings)
    index = texts[0].startIndex
  }

  mutating func next(_ writer: inout JSONWriter) -> Bool {
    if text == 0, token == 0 { writer.open("[") }
    if token == 0 { writer.open("[") }
    if token < encodings[text].count {
      write(&writer)
      token += 1
    }
    guard token == encodings[text].count else { return true }
    writer.close("]")
    (text, token, place) = (text + 1, 0, 0)
    if text < texts.count {
      index = texts[text].startIndex
      return true
    }
    writer.close("]")
    return false
  }

  /// start and stop in code points; null for tokens that were added.
  private mutating func write(_ writer: inout JSONWriter) {
    let encoding = encodings[text]
    let (id, span) = (encoding.ids[token], encoding.spans[token])
    let isAdded = encoding.isAdded(token)
    let content = isAdded ? tokenizer.token(id) ?? "" : part(span)
    writer.object { object in
      object.member("id", Int(id))
      object.member("text", content)
      object.member("special", isAdded)
      object.key("start")
      if isAdded { object.null() } else { object.number(Int(span.start)) }
      object.key("stop")
      if isAdded { object.null() } else { object.number(Int(span.end)) }
    }
  }

  /// Spans ascend, so that a text is walked once; two tokens can share a code point.
  private mutating func part(_ span: TextSpan) -> String {
    let scalars = texts[text].unicodeScalars
    index = scalars.index(index, offsetBy: Int(span.start) - place)
    place = Int(span.start)
    let end = scalars.index(index, offsetBy: Int(span.end) - place)
    return String(scalars[index..<end])
  }
}
