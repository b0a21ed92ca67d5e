/// Which of the folders below a place is a model's.
struct ModelSearch {
  private let all: Set<String>
  /// Those with a config.json; "" or ending in "/". A step behind an encoder (`2_Dense/`) has one too,
  /// and is none.
  private let folders: [String]
  private let path: String

  init(_ files: [String], path: String) {
    all = Set(files)
    self.path = path
    folders = files.filter { $0 == "config.json" || $0.hasSuffix("/config.json") }
      .map { String($0.dropLast("config.json".count)) }.filter { !Self.isStep($0) }
  }

  /// What sentence-transformers calls its steps that are no encoders.
  private static let steps: Set<Substring> = [
    "Pooling", "Dense", "Normalize", "Dropout", "LSTM", "CNN", "LayerNorm", "WeightedLayerPooling",
    "SpladePooling", "BoW", "WordEmbeddings", "WordWeights", "Router", "Asym",
  ]

  /// `1_Pooling/`, but not `0_Transformer/`, nor somebody's `1_bert/`.
  private static func isStep(_ folder: String) -> Bool {
    guard let last = folder.split(separator: "/").last, let end = last.firstIndex(of: "_") else {
      return false
    }
    let digits = last[..<end]
    return !digits.isEmpty && digits.allSatisfy { $0.isASCII && $0.isNumber }
      && steps.contains(last[last.index(after: end)...])
  }

  /// The folder, of the least depth, that holds config.json beside model.safetensors; "" or ending
  /// in "/". Throws `BaseError` where there is none, with the likely reason, or several.
  func folder() throws(BaseError) -> String {
    func depth(_ folder: String) -> Int { folder.utf8.count { $0 == UInt8(ascii: "/") } }
    let models = folders.filter { all.contains($0 + Base.weightsFile) }
    let least = models.map(depth).min()
    let nearest = models.filter { depth($0) == least }.sorted()
    if nearest.count > 1 { throw .severalModels(path: path, folders: nearest) }
    if let folder = nearest.first { return folder }
    throw reason()
  }

  /// What a model may have its weights in, and what is wrong with that.
  private static let others: [(file: String, what: String)] = [
    (
      "model.safetensors.index.json",
      "its weights are in several files; save them as one in Python: "
        + "model.save_pretrained(DIR, max_shard_size=\"100GB\")"
    ), ("tf_model.h5", "its weights are TensorFlow's; " + conversion),
    ("flax_model.msgpack", "its weights are Flax's; " + conversion),
    ("onnx/model.onnx", "only its ONNX form is there; take the one with model.safetensors"),
    ("model.onnx", "only its ONNX form is there; take the one with model.safetensors"),
  ]
  private static let conversion: String =
    "convert them in Python: AutoModel.from_pretrained(DIR, from_tf=True or from_flax=True)"
    + ".save_pretrained(DIR)"
  private static let pickles: [String] = [
    "pytorch_model.bin", "pytorch_model.bin.index.json", "model.ckpt", "model.pt", "model.pth",
    "pytorch_model.pt",
  ]

  private func reason() -> BaseError {
    for folder in folders {
      for (file, what) in Self.others where all.contains(folder + file) {
        return .unsupported(path: path, what: "\(folder)\(file): \(what)")
      }
      for pickle in Self.pickles where all.contains(folder + pickle) {
        return .pickle(path: path, file: folder + pickle)
      }
    }
    if let adapter = all.filter({ $0.split(separator: "/").last == "adapter_config.json" }).min() {
      return .unsupported(
        path: path,
        what:
          "\(adapter): an adapter (PEFT's or AdapterHub's), not a model; merge it into its model "
          + "(PEFT: merge_and_unload) and save that")
    }
    return .noModel(path: path)
  }
}
