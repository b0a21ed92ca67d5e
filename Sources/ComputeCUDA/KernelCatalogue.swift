/// All kernel files, with the shapes that models of the BERT family bring: what tests compile.
package enum KernelCatalogue {
  /// For compute capability 9.0 and no other.
  static let hopperFile = "attention90.cu"

  package static func sources(
    architecture: Int, hiddenSizes: [Int] = [32, 384, 768, 1024], headSizes: [Int] = [8, 32, 64]
  ) -> [KernelCompiler.Source] {
    func source(_ file: String, _ defines: [String]) -> KernelCompiler.Source {
      KernelCompiler.Source(file: file, defines: defines, architecture: architecture)
    }
    var sources = [source("elements.cu", []), source("optimizer.cu", []), source("plot.cu", [])]
    let types = ["float", "u16"]
    sources += types.map { source("sums.cu", ["TYPE=\($0)"]) }
    for x in types {
      for y in types {
        sources += ["values.cu", "gather.cu"].map { source($0, ["XTYPE=\(x)", "YTYPE=\(y)"]) }
        for z in types {
          sources += ["products.cu", "manyProducts.cu", "losses.cu"].map {
            source($0, ["XTYPE=\(x)", "YTYPE=\(y)", "ZTYPE=\(z)"])
          }
        }
      }
    }
    for hidden in hiddenSizes {
      sources += ["rows.cu", "heads.cu"].map { source($0, ["HIDDEN=\(hidden)"]) }
      sources += types.map { source("norms.cu", ["HIDDEN=\(hidden)", "TYPE=\($0)"]) }
      sources += [16, 64].map { source("grouped.cu", ["HIDDEN=\(hidden)", "ROWS=\($0)"]) }
    }
    sources += [16, 64].map { source("grouped.cu", ["ROWS=\($0)"]) }
    let biases = [[], ["BIAS=1"]]
    for file in ["attention.cu", "attentionBackward.cu", "windows.cu"] {
      for head in headSizes { sources += biases.map { source(file, ["HEAD=\(head)"] + $0) } }
    }
    if architecture == 90 {
      for head in [32, 64] {
        for groups in [1, 2] {
          sources += biases.map { source(hopperFile, ["HEAD=\(head)", "GROUPS=\(groups)"] + $0) }
        }
      }
    }
    return sources
  }
}
