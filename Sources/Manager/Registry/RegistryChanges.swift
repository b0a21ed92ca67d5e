package import Model

/// What somebody who remembers records must forget.
package struct RegistryChanges: Sendable, Equatable {
  /// Of the last change told; what to ask from next time.
  package var last: Int64
  /// vBERTs that were made, published, rolled back or deleted.
  package var vberts: Set<VBertName> = []
  /// Something about tenants, their keys, or whether the home is open.
  package var tenants = false
  /// False where changes are no longer known, or cannot be read: anything may have changed.
  package var isComplete = true
}
