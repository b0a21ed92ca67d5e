package import Model

/// What makes rows that no table has: the local layers, on some device. One thread at a time.
package protocol NGramComputer: AnyObject {
  /// Fills `rows` [grams, 3, hidden]; a slot with id 0, and everything where the centre is 0, is 0.
  func compute(_ grams: [NGram], into rows: UnsafeMutableBufferPointer<Float>) throws
}

extension LocalEncoder: NGramComputer {}
