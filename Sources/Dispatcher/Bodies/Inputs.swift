internal import Model

/// One text or several: `"a"` or `["a", "b"]`.
struct Texts: Equatable, Sendable {
  static let expected = "a text or a list of texts"
  let texts: [String]
  /// One text on its own is answered without a list around it.
  let isSingle: Bool

  init?(_ value: JSONValue) {
    if let text = value.text {
      (texts, isSingle) = ([text], true)
    } else if let list = value.texts {
      (texts, isSingle) = (list, false)
    } else {
      return nil
    }
  }
}

/// What /predict takes: `"t"`, `["a", "b"]` (a pair), `[["t"], ["a", "b"]]` (several of these).
struct PredictInputs: Equatable, Sendable {
  static let expected = "a text, a pair [\"a\", \"b\"] or a list of such lists"
  let items: [[String]]
  let isSingle: Bool

  init(items: [[String]], isSingle: Bool) { (self.items, self.isSingle) = (items, isSingle) }

  init?(_ value: JSONValue) {
    if let text = value.text {
      (items, isSingle) = ([[text]], true)
    } else if let pair = value.texts {
      (items, isSingle) = (pair.isEmpty ? [] : [pair], true)
    } else if let list = value.textLists {
      (items, isSingle) = (list, false)
    } else {
      return nil
    }
  }
}

/// What /tag takes: a text, a list of texts, or a list of lists of words.
struct TagInputs: Equatable, Sendable {
  static let expected = "a text, a list of texts or a list of lists of words"
  let items: [TextInput]
  let isSingle: Bool

  init?(_ value: JSONValue) {
    if let text = value.text {
      (items, isSingle) = ([.running(text)], true)
    } else if let texts = value.texts {
      (items, isSingle) = (texts.map(TextInput.running), false)
    } else if let words = value.textLists {
      (items, isSingle) = (words.map(TextInput.words), false)
    } else {
      return nil
    }
  }
}
