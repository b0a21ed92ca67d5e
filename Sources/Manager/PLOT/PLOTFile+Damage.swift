internal import Model

/// What a complete reading of a PLOT file found wrong; empty when all is well.
package struct PLOTDamage: Sendable, Equatable {
  package var index = false
  package var checksums = false
  /// Rows that do not match their checksum, or that no search ends at.
  package var rows = 0
  /// Entries of tokens that the base's vocabulary does not have.
  package var strangers = 0

  package var isEmpty: Bool { self == PLOTDamage() }
}

extension PLOTFile {
  /// Whether the index is what was written; reads all of it.
  var hasSoundIndex: Bool {
    checksum(header.indexOffset..<header.checksOffset) == header.indexChecksum
  }

  /// Reads the whole file and compares every checksum, and every token with a vocabulary of so many.
  /// About as fast as the disk.
  package func damage(vocabulary: Int) -> PLOTDamage {
    var damage = PLOTDamage()
    damage.index = !hasSoundIndex
    damage.checksums =
      checksum(header.checksOffset..<header.checksOffset + header.count * 4)
      != header.checksChecksum
    var sound = 0
    forEach {
      if leads(to: $0), matchesChecksum($0) { sound += 1 }
      if !$0.gram.isOf(vocabulary: vocabulary) { damage.strangers += 1 }
    }
    damage.rows = max(0, count - sound)
    return damage
  }
}
