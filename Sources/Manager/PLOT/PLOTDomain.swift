/// What a vBERT of some domain looks n-grams up in: the domain's own table, then the general one; as they
/// are now. Ask the store anew for every batch: a table that somebody waits to write to is let go, which
/// takes as long as it is held here.
package final class PLOTDomain: Sendable {
  /// nil: the general table alone.
  package let name: String?
  /// In the order of looking.
  package let files: [PLOTFile]
  /// Tells domains of one store apart.
  let number: UInt32
  /// Local layers of its own made its rows: the base's cannot compute them.
  let hasOwnLayers: Bool
  /// False where a table was given up: what it had is computed, in every mode, since what a stand-in
  /// stands in for is not known any more.
  let isWhole: Bool
  /// Its own table is not among those given up.
  let hasOwnTable: Bool

  /// Its own table; nil where there is only the general one.
  var own: PLOTFile? { name != nil && hasOwnTable ? files.first : nil }

  init(
    name: String?, files: [PLOTFile], number: UInt32, hasOwnLayers: Bool = false,
    isWhole: Bool = true, hasOwnTable: Bool = true
  ) {
    self.name = name
    self.files = files
    self.number = number
    self.hasOwnLayers = hasOwnLayers
    self.isWhole = isWhole
    self.hasOwnTable = hasOwnTable
  }

  /// The same without that table, if it has it.
  func without(_ file: PLOTFile) -> PLOTDomain {
    guard let place = files.firstIndex(where: { $0 === file }) else { return self }
    var kept = files
    kept.remove(at: place)
    return PLOTDomain(
      name: name, files: kept, number: number, hasOwnLayers: hasOwnLayers, isWhole: false,
      hasOwnTable: hasOwnTable && own !== file)
  }

  /// 1 to 64 of a-z, 0-9, - and _, and none of our own file names. Throws `PLOTError.domainName`.
  package static func check(name: String) throws(PLOTError) {
    let known = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard known, (1...64).contains(name.utf8.count), !["general", "admitted"].contains(name) else {
      throw .domainName(name)
    }
  }
}
