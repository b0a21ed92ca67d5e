/// The tokens of a vocabulary that no text has, and how they frame texts.
package struct SpecialTokens: Sendable, Hashable {
  /// Opens a sequence.
  package let classification: String
  /// Closes each text.
  package let separator: String
  package let padding: String
  package let unknown: String
  package let mask: String
  /// Separators between the texts of a pair.
  package let pairSeparators: Int
  /// Whether the second text of a pair is segment 1; else all is segment 0.
  package let numbersSegments: Bool

  /// How many of them frame a text, or a pair.
  package func count(isPair: Bool) -> Int { isPair ? 2 + pairSeparators : 2 }

  var all: [String] { [padding, unknown, classification, separator, mask] }

  /// [CLS] a [SEP] b [SEP]
  package static let bert = SpecialTokens(
    classification: "[CLS]", separator: "[SEP]", padding: "[PAD]", unknown: "[UNK]",
    mask: "[MASK]", pairSeparators: 1, numbersSegments: true)

  /// <s> a </s></s> b </s>
  package static let mpnet = SpecialTokens(
    classification: "<s>", separator: "</s>", padding: "<pad>", unknown: "[UNK]", mask: "<mask>",
    pairSeparators: 2, numbersSegments: false)
}
