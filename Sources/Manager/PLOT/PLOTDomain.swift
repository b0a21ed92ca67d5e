/// What a vBERT of some domain looks n-grams up in: the domain's own table, then the general one.
package final class PLOTDomain: Sendable {
  /// nil: the general table alone.
  package let name: String?
  /// In the order of looking.
  package let files: [PLOTFile]
  /// Tells domains of one store apart.
  let number: UInt32

  init(name: String?, files: [PLOTFile], number: UInt32) {
    self.name = name
    self.files = files
    self.number = number
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
