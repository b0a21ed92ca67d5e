internal import GRDB

extension Registry {
  /// A vBERT one of whose versions stands on this base; nil if none does. O(versions).
  package func firstVBert(onBase base: String) throws(RegistryError) -> String? {
    try read { db in
      try String.fetchOne(
        db,
        sql: """
          SELECT v.name FROM vberts v LEFT JOIN versions n ON n.vbert = v.id
          WHERE json_extract(v.spec, '$.base') = ? OR json_extract(n.spec, '$.base') = ?
          ORDER BY v.name LIMIT 1
          """, arguments: [base, base])
    }
  }
}
