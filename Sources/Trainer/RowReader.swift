package import Model

/// Reads rows as the vBERT's requests are read.
package struct RowReader {
  private let spec: VBertSpec
  private let base: Configuration
  private var encoder: TextEncoder

  /// With `cut` too long rows lose what does not fit, on `side`; else they are refused.
  package init(
    spec: VBertSpec, tokenizer: WordPiece, base: Configuration, cut: Bool,
    side: TruncationSide = .right
  ) {
    (self.spec, self.base) = (spec, base)
    encoder = TextEncoder(tokenizer, maxLength: spec.maxLength, cut: cut, side: side)
  }

  /// Throws `DataSetError.row` for a row that is empty, too long, of another kind (text or pair) than the
  /// vBERT learnt, or that its base cannot read.
  package mutating func read(_ row: DataRow, of data: DataSet) throws(DataSetError) -> (
    EncodedText, TokenSequence
  ) {
    func problem(_ problem: DataRowProblem) -> DataSetError {
      .row(path: data.path, line: row.line, problem)
    }
    if let expected = spec.input, let kind = row.input.kind, kind != expected {
      throw problem(.otherInput(expected))
    }
    let encoded: EncodedText
    do { encoded = try encoder.encode(row.input) } catch let error as TextProblem {
      throw problem(.text(error))
    } catch {
      // The encoder throws nothing else without a check that does.
      throw problem(.text(.empty))
    }
    do { return (encoded, try TokenSequence(encoded.encoding, for: base)) } catch {
      throw problem(.unreadable(base: spec.base, error))
    }
  }
}
