package import Foundation
package import Model

/// Who makes a change: `tenant/label` of a key, or the command line.
package struct Actor: Sendable, Hashable {
  package let text: String
  /// The number of the key that it is made with: what it may is looked up in the change's own transaction.
  package let key: Int64?

  package init(_ text: String, key: Int64? = nil) { (self.text, self.key) = (text, key) }

  /// With whose hands the registry is changed in this task; by default those of whoever runs the program.
  @TaskLocal package static var current = Actor("command line (\(NSUserName()))")
}

/// What was done: the verbs' words.
package enum AuditedAction: String, Sendable, Hashable, CaseIterable {
  case createTenant = "tenant.create"
  case deleteTenant = "tenant.delete"
  case setQuota = "tenant.quota"
  case createKey = "key.create"
  case revokeKey = "key.revoke"
  case rotateKey = "key.rotate"
  case openHome = "access.open"
  case closeHome = "access.closed"
  case create = "vbert.create"
  case publish = "vbert.publish"
  case rollback = "vbert.rollback"
  case give = "vbert.give"
  case delete = "vbert.delete"
  case setting = "setting.set"
  case createFile = "file.create"
  case deleteFile = "file.delete"
  case createBatch = "batch.create"
  case cancelBatch = "batch.cancel"
  case createTraining = "training.create"
  case changeTraining = "training.change"
}

/// One change: who, what, when.
package struct AuditRecord: Sendable, Hashable {
  package let number: Int64
  package let time: Date
  package let actor: String
  package let action: String
  /// Whose it is; nil for what is the home's.
  package let tenant: Name?
  /// A vBERT's name, a key's label, a setting.
  package let object: String
  /// A version's number, a key's scopes, a new owner.
  package let detail: String
}
