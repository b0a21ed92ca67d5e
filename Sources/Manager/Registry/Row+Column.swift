internal import Foundation
internal import GRDB
internal import Model

extension Row {
  /// The column's value; GRDB's own subscript traps where somebody has put another type into the
  /// file. Throws `RegistryError.damaged`.
  func column<Value: DatabaseValueConvertible>(
    _ name: String, of table: String, as type: Value.Type = Value.self
  ) throws(RegistryError) -> Value {
    guard let value: Value = try optional(name, of: table) else {
      throw .damaged(table: table, column: name, why: "is empty")
    }
    return value
  }

  /// The same where NULL is nil.
  func optional<Value: DatabaseValueConvertible>(
    _ name: String, of table: String, as type: Value.Type = Value.self
  ) throws(RegistryError) -> Value? {
    guard hasColumn(name) else {
      throw .damaged(table: table, column: name, why: "is not there")
    }
    let stored: DatabaseValue = self[name]
    if stored.isNull { return nil }
    guard let value = Value.fromDatabaseValue(stored) else {
      throw .damaged(
        table: table, column: name, why: "holds a value of another kind: \(clipped("\(stored)"))")
    }
    return value
  }

  /// A column of JSON. Throws `RegistryError.damaged`.
  func json<Value: Decodable>(_ name: String, of table: String) throws(RegistryError) -> Value {
    let text: String = try column(name, of: table)
    do { return try JSONText.decode(text) } catch {
      throw .damaged(table: table, column: name, why: "cannot be read: \(clipped(plain(error)))")
    }
  }

  /// A time that may not be there.
  func time(_ name: String, of table: String) throws -> Date? {
    let seconds: Double? = try optional(name, of: table)
    return seconds == nil ? nil : try date(name, of: table)
  }

  /// Seconds since 1970, of the years 0 to 9999: whoever shows it counts in whole seconds. Throws
  /// `RegistryError.damaged`.
  func date(_ name: String, of table: String) throws(RegistryError) -> Date {
    let seconds: Double = try column(name, of: table)
    guard -62_167_219_200..<253_402_300_800 ~= seconds else {
      throw .damaged(table: table, column: name, why: "is no time: \(seconds)")
    }
    return Date(timeIntervalSince1970: seconds)
  }

  /// A vBERT's name inside its tenant's, which is in the column `tenantName`. Throws
  /// `RegistryError.damaged`.
  func vbertName(of table: String) throws(RegistryError) -> VBertName {
    VBertName(try name("name", of: table), of: try name("tenantName", of: table))
  }

  /// A vBERT's or a tenant's name. Throws `RegistryError.damaged`.
  func name(_ column: String, of table: String) throws(RegistryError) -> Name {
    let text: String = try self.column(column, of: table)
    do { return try Name(text) } catch {
      throw .damaged(table: table, column: column, why: "is no name: \"\(clipped(text))\"")
    }
  }
}
