package import Compute

/// How a tenant's parameters are named in a file; the names are those of the public reference:
///
/// ```
/// adapter.<layer>.<attn|ffn>.down.weight [width, hidden]   .down.bias [width]
///                           .up.weight [hidden, width]     .up.bias [hidden]
/// lora.<layer>.<target>.A [rank, inputs]                   .B [outputs, rank]
/// head.weight [outputs, hidden]                            head.bias [outputs]
/// ```
/// Layers count in the base, so with skip depth k the first is k. All values are finite, and none is
/// larger than `largest`.
package enum AdapterFile {
  /// No parameter that was trained comes near it, and half precision has nothing above.
  package static let largest: Float = 65_504

  /// Throws `notFinite`, `tooLarge`. O(count).
  package static func check(
    values: [Float], name: String
  ) throws(AdapterFileError) {
    guard let wrong = values.first(where: { !($0.magnitude <= largest) }) else { return }
    throw wrong.isFinite ? .tooLarge(name: name, value: wrong) : .notFinite(name: name)
  }

  package typealias Named = (name: String, shape: [Int], values: [Float])

  /// The adapter's tensors in a fixed order.
  package static func tensors(of adapter: HostAdapter) -> [Named] {
    var tensors: [Named] = []
    func add(_ name: String, _ matrix: HostMatrix, weight: String = ".weight") {
      tensors.append((name + weight, [matrix.outputs, matrix.inputs], matrix.weight))
      if let bias = matrix.bias { tensors.append((name + ".bias", [matrix.outputs], bias)) }
    }
    for part in adapter.bottlenecks {
      let name = name(layer: part.layer, site: part.site)
      add(name + ".down", part.down)
      add(name + ".up", part.up)
    }
    for part in adapter.lowRanks {
      let name = name(layer: part.layer, target: part.target)
      add(name, part.a, weight: ".A")
      add(name, part.b, weight: ".B")
    }
    if let head = adapter.head { add("head", head) }
    return tensors
  }

  /// What an adapter of this specification must hold, no more and no less.
  package static func layout(
    _ spec: VBertSpec, base: Configuration
  ) -> [(name: String, shape: [Int])] {
    let hidden = base.hiddenSize
    var layout: [(name: String, shape: [Int])] = []
    for layer in base.upperLayers {
      switch spec.adapter {
      case .none: break
      case .bottleneck(let width, let sites):
        for site in sites {
          let name = name(layer: layer, site: site)
          layout += [
            (name + ".down.weight", [width, hidden]), (name + ".down.bias", [width]),
            (name + ".up.weight", [hidden, width]), (name + ".up.bias", [hidden]),
          ]
        }
      case .lora(let rank, _, let targets):
        for target in targets {
          let name = name(layer: layer, target: target)
          let shape = target.shape(base)
          layout += [(name + ".A", [rank, shape.inputs]), (name + ".B", [shape.outputs, rank])]
        }
      }
    }
    let outputs = spec.task.outputs(labels: spec.labels.count)
    if outputs > 0 { layout += [("head.weight", [outputs, hidden]), ("head.bias", [outputs])] }
    return layout
  }

  /// The adapter of this specification, from a source that may hold other tensors too. Throws what
  /// the source throws, `AdapterFileError.notFinite`, `.tooLarge`, and an error that names the tensor whose shape
  /// does not belong to specification and base.
  package static func adapter(
    _ spec: VBertSpec, base: Configuration, from source: any TensorSource
  ) throws -> HostAdapter {
    func values(_ name: String, _ shape: [Int]) throws -> [Float] {
      let values = try source.floats(name, shape: shape)
      try check(values: values, name: name)
      return values
    }
    func linear(_ name: String, _ outputs: Int, _ inputs: Int) throws -> HostMatrix {
      HostMatrix(
        weight: try values(name + ".weight", [outputs, inputs]),
        bias: try values(name + ".bias", [outputs]), outputs: outputs, inputs: inputs)
    }
    let hidden = base.hiddenSize
    var adapter = HostAdapter()
    for layer in base.upperLayers {
      switch spec.adapter {
      case .none: break
      case .bottleneck(let width, let sites):
        for site in sites {
          let name = name(layer: layer, site: site)
          adapter.bottlenecks.append(
            HostAdapter.Bottleneck(
              layer: layer, site: site, down: try linear(name + ".down", width, hidden),
              up: try linear(name + ".up", hidden, width)))
        }
      case .lora(let rank, let alpha, let targets):
        for target in targets {
          let name = name(layer: layer, target: target)
          let (inputs, outputs) = target.shape(base)
          let a = try values(name + ".A", [rank, inputs])
          let b = try values(name + ".B", [outputs, rank])
          adapter.lowRanks.append(
            HostAdapter.LowRank(
              layer: layer, target: target,
              a: HostMatrix(weight: a, bias: nil, outputs: rank, inputs: inputs),
              b: HostMatrix(weight: b, bias: nil, outputs: outputs, inputs: rank),
              scale: alpha / Float(rank)))
        }
      }
    }
    let outputs = spec.task.outputs(labels: spec.labels.count)
    if outputs > 0 { adapter.head = try linear("head", outputs, hidden) }
    return adapter
  }

  /// Throws unless these names and shapes are exactly what the specification asks for.
  package static func check(
    _ tensors: [(name: String, shape: [Int])], fit spec: VBertSpec, base: Configuration
  ) throws(AdapterFileError) {
    var found: [String: [Int]] = [:]
    for tensor in tensors {
      guard found.updateValue(tensor.shape, forKey: tensor.name) == nil else {
        throw .superfluous(name: tensor.name)
      }
    }
    for expected in layout(spec, base: base) {
      guard let shape = found.removeValue(forKey: expected.name) else {
        throw .missing(name: expected.name)
      }
      guard shape == expected.shape else {
        throw .shape(name: expected.name, found: shape, expected: expected.shape)
      }
    }
    if let name = found.keys.min() { throw .superfluous(name: name) }
  }

  package static func name(layer: Int, site: AdapterSite) -> String {
    "adapter.\(layer).\(site == .attention ? "attn" : "ffn")"
  }

  package static func name(layer: Int, target: LowRankTarget) -> String {
    "lora.\(layer).\(target.name)"
  }
}

/// Why tensors are not the adapter of a specification.
package enum AdapterFileError: Error, Equatable, CustomStringConvertible {
  case missing(name: String)
  case superfluous(name: String)
  case shape(name: String, found: [Int], expected: [Int])
  case notFinite(name: String)
  case tooLarge(name: String, value: Float)

  package var description: String {
    switch self {
    case .missing(let name): "tensor \"\(name)\" is missing"
    case .superfluous(let name):
      "tensor \"\(name)\" does not belong to this specification (or is there twice)"
    case .shape(let name, let found, let expected):
      "tensor \"\(name)\" is \(found), expected \(expected); is it for another base?"
    case .notFinite(let name): "tensor \"\(name)\" holds numbers that are not finite"
    case .tooLarge(let name, let value):
      "tensor \"\(name)\" holds \(value); no trained parameter is beyond \(AdapterFile.largest)"
    }
  }
}
