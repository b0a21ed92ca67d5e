/// A label as words: what it is called often says what its texts are about, which counts where there are few.
package enum LabelText {
  /// "card_arrival", "card-arrival" and "cardArrival" are "card arrival"; nil for what holds no word of three
  /// letters.
  package static func words(_ label: String) -> String? {
    var text = ""
    var last: Character?
    for character in label {
      let isBreak = !(character.isLetter || character.isNumber || character == "'")
      let isHump = character.isUppercase && last.map { $0.isLowercase } ?? false
      if isBreak || isHump { text += " " }
      if !isBreak { text.append(character) }
      last = character
    }
    let words = text.split(separator: " ")
    guard words.contains(where: { $0.count(where: \.isLetter) >= 3 }) else { return nil }
    return words.joined(separator: " ")
  }

  /// A text for each label; nil where some label has no words, or all have the same.
  package static func texts(_ labels: [String]) -> [String]? {
    let texts = labels.compactMap(words)
    return texts.count == labels.count && Set(texts).count == labels.count ? texts : nil
  }
}
