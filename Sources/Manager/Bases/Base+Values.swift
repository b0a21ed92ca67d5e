internal import Files
internal import Model

extension Base {
  /// What no weight may exceed in magnitude. Trained encoders stay far below (the largest of
  /// all-MiniLM-L6-v2 is 7.9, of a skip base of all-mpnet-base-v2 15.0), and up to BERT-large's width
  /// no sum of a layer can leave float32, nor a row of a table float16, even with every weight at this
  /// bound (docs/formats.md).
  package static let largestWeight: Float = 1000

  /// Every weight is a number to compute with, and no LayerNorm hides what comes before it. Reads all of them. Throws `BaseError.value` with the
  /// first one that is not; `path` is what it calls the base.
  func checkValues(path: String) throws(BaseError) {
    try Self.checkValues(
      configuration.tensors.map { ($0.name, $0.name) }, in: weights, path: path)
  }

  /// The same of these tensors of a file, which errors call `original`.
  static func checkValues(
    _ tensors: [(name: String, original: String)], in file: SafetensorsFile, path: String
  ) throws(BaseError) {
    for (name, original) in tensors {
      let found: (index: Int, value: Float)?
      let shape: [Int]
      do {
        found = try file.firstValue(of: original, beyond: largestWeight)
        shape = try file.shape(original)
      } catch { throw .invalid(path: path, what: "\(error)") }
      if let found { throw .value(found.value, tensor: original, at: found.index, shape, in: path) }
      guard name.hasSuffix("LayerNorm.weight") else { continue }
      do {
        guard try file.floats(original).allSatisfy({ $0 == 0 }) else { continue }
      } catch { throw .invalid(path: path, what: "\(error)") }
      throw .invalid(path: path, what: "\(original) is all zeros, so every text would say the same")
    }
  }

  /// The same of tensors in memory, which are to be stored.
  static func checkValues(_ tensors: MemoryTensors, path: String) throws(BaseError) {
    for name in tensors.names {
      let values: [Float]
      let shape: [Int]
      do { (values, shape) = (try tensors.floats(name), try tensors.shape(name)) } catch {
        throw .invalid(path: path, what: "\(error)")
      }
      // Written so that NaN, which compares with nothing, is found.
      guard let index = values.firstIndex(where: { !(abs($0) <= largestWeight) }) else { continue }
      throw .value(values[index], tensor: name, at: index, shape, in: path)
    }
  }
}

extension BaseError {
  fileprivate static func value(
    _ value: Float, tensor: String, at index: Int, _ shape: [Int], in path: String
  ) -> BaseError {
    var (place, rest): ([Int], Int) = ([], index)
    for size in shape.reversed() {
      place.insert(rest % size, at: 0)
      rest /= size
    }
    return .value(path: path, tensor: tensor, place: place, value: "\(value)")
  }
}
