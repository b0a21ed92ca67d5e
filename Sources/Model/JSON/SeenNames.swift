/// The names of one object's members, told apart by their bytes. A few are compared one by one.
struct SeenNames {
  private var few: [String] = []
  private var many: Set<[UInt8]> = []

  /// False where it is there.
  mutating func insert(_ name: String) -> Bool {
    guard few.count == 16 else {
      if few.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { return false }
      few.append(name)
      return true
    }
    if many.isEmpty { many = Set(few.map { Array($0.utf8) }) }
    return many.insert(Array(name.utf8)).inserted
  }
}
