package import Model

extension DataSet {
  /// Its rows' tags; none where the rows have other targets.
  private var tagged: [TaggedRow] {
    rows.compactMap { row in
      if case .tags(let tags) = row.target { TaggedRow(line: row.line, tags: tags) } else { nil }
    }
  }

  /// The scheme that all of its tags are written in. Throws `DataSetError` with the lines that are
  /// not.
  package func tagScheme() throws(DataSetError) -> TagScheme {
    do { return try TagScheme(of: tagged) } catch { throw .tags(path: path, error) }
  }

  /// Throws `DataSetError` where tags are of another scheme than the tagger's; does nothing for others
  /// than taggers.
  package func checkTags(_ spec: VBertSpec) throws(DataSetError) {
    guard spec.task == .tag else { return }
    do { try spec.tags.check(tagged, labels: spec.labels) } catch {
      throw .tags(path: path, error)
    }
  }
}
