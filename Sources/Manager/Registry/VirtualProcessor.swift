/// The share of the machine that a tenant rents.
package struct VirtualProcessor: Sendable, Hashable {
  /// Share in the fair queue, relative to the others' weights.
  package let weight: Double

  package static let standard = VirtualProcessor(clamping: 1)

  /// Throws `invalidWeight` outside 0.01...100: a share of nothing would never be served.
  package init(weight: Double) throws(RegistryError) {
    guard 0.01...100 ~= weight else { throw .invalidWeight(weight) }
    self.weight = weight
  }

  private init(clamping weight: Double) { self.weight = weight }
}
