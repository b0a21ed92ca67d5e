/// A body that can be made of plain members, equal to what the decoder makes of the same bytes; nil
/// where the decoder has to look.
protocol ReadsPlainBody: Decodable {
  init?(_ plain: PlainBody)
}

extension Texts {
  init?(_ value: PlainBody.Value) {
    switch value {
    case .text(let text): (texts, isSingle) = ([text], true)
    case .texts(let list): (texts, isSingle) = (list, false)
    case .flag, .null: return nil
    }
  }
}

extension EmbedBody: ReadsPlainBody {
  init?(_ plain: PlainBody) {
    guard let inputs = Texts(plain["inputs"]), let model = plain.text("model"),
      let adapter = plain.text("adapter_id"), let truncate = plain.flag("truncate"),
      let normalize = plain.flag("normalize"), plain["dimensions"] == .null
    else { return nil }
    self.init(
      inputs: inputs, model: model, adapter_id: adapter, truncate: truncate, normalize: normalize)
  }
}

extension PredictBody: ReadsPlainBody {
  init?(_ plain: PlainBody) {
    guard let inputs = PredictInputs(plain["inputs"]), let model = plain.text("model"),
      let adapter = plain.text("adapter_id"), let truncate = plain.flag("truncate"),
      let raw = plain.flag("raw_scores")
    else { return nil }
    self.init(
      inputs: inputs, model: model, adapter_id: adapter, truncate: truncate, raw_scores: raw)
  }
}

extension PredictInputs {
  /// A text, or a pair of two.
  init?(_ value: PlainBody.Value) {
    switch value {
    case .text(let text): (items, isSingle) = ([[text]], true)
    case .texts(let list) where list.count <= 2: (items, isSingle) = ([list], true)
    default: return nil
    }
  }
}

extension TagBody: ReadsPlainBody {
  init?(_ plain: PlainBody) {
    guard let inputs = TagInputs(plain["inputs"]), let model = plain.text("model"),
      let adapter = plain.text("adapter_id"), let truncate = plain.flag("truncate"),
      plain["aggregation_strategy"] == .null
    else { return nil }
    self.init(inputs: inputs, model: model, adapter_id: adapter, truncate: truncate)
  }
}

extension TagInputs {
  init?(_ value: PlainBody.Value) {
    switch value {
    case .text(let text): (items, isSingle) = ([.text(text)], true)
    case .texts(let list): (items, isSingle) = (list.map(Item.text), false)
    case .flag, .null: return nil
    }
  }
}

extension EmbeddingsBody: ReadsPlainBody {
  init?(_ plain: PlainBody) {
    guard let input = Texts(plain["input"]), let model = plain.text("model"),
      let adapter = plain.text("adapter_id"), let truncate = plain.flag("truncate"),
      let format = plain.text("encoding_format"), plain["dimensions"] == .null
    else { return nil }
    var encoding: Format?
    if let format {
      guard let known = Format(rawValue: format) else { return nil }
      encoding = known
    }
    self.init(
      input: input, model: model, adapter_id: adapter, encoding_format: encoding,
      truncate: truncate)
  }
}

extension ClassifyBody: ReadsPlainBody {
  init?(_ plain: PlainBody) {
    guard let input = Texts(plain["input"]), let model = plain.text("model"),
      let adapter = plain.text("adapter_id"), let truncate = plain.flag("truncate")
    else { return nil }
    self.init(input: input, model: model, adapter_id: adapter, truncate: truncate)
  }
}
