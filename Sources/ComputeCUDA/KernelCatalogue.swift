/// All kernel files, with the shapes that models of the BERT family bring: what tests compile.
package enum KernelCatalogue {
  package static func sources(
    architecture: Int, hiddenSizes: [Int] = [32, 384, 768, 1024], headSizes: [Int] = [8, 32, 64]
  ) -> [KernelCompiler.Source] {
    func source(_ file: String, _ defines: [String]) -> KernelCompiler.Source {
      KernelCompiler.Source(file: file, defines: defines, architecture: architecture)
    }
    var sources = [source("elements.cu", [])]
    for hidden in hiddenSizes {
      sources += ["rows.cu", "heads.cu"].map { source($0, ["HIDDEN=\(hidden)"]) }
      sources += [16, 64].map { source("grouped.cu", ["HIDDEN=\(hidden)", "ROWS=\($0)"]) }
    }
    sources += [16, 64].map { source("grouped.cu", ["ROWS=\($0)"]) }
    sources += headSizes.map { source("attention.cu", ["HEAD=\($0)"]) }
    return sources
  }
}
