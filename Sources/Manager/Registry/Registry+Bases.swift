internal import GRDB
package import Model

extension Registry {
  /// A vBERT one of whose versions stands on this base; nil if none does. O(versions).
  package func firstVBert(onBase base: String) throws(RegistryError) -> VBertName? {
    try read { db in
      try Row.fetchOne(
        db,
        sql: """
          SELECT v.name, t.name AS tenantName FROM vberts v JOIN tenants t ON t.id = v.tenant
          LEFT JOIN versions n ON n.vbert = v.id
          WHERE json_extract(v.spec, '$.base') = ? OR json_extract(n.spec, '$.base') = ?
          ORDER BY t.name, v.name LIMIT 1
          """, arguments: [base, base]
      ).map { try $0.vbertName(of: "vberts") }
    }
  }
}
