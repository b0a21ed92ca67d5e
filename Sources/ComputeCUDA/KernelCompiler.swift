internal import CCUDA
package import Compute

/// Kernel source text to machine code for one architecture, by NVRTC; needs no GPU.
@safe package struct KernelCompiler: @unchecked Sendable {
  private let table: ccuda_compiler
  /// "13.0".
  package let version: String

  /// nil where no NVRTC was found.
  package init?(_ libraries: CUDALibraries) {
    guard let table = libraries.compiler else { return nil }
    self.table = table
    version = libraries.report[.compiler]?.version ?? "?"
  }

  /// Architectures that this NVRTC compiles for: 80 is sm_80.
  package var architectures: [Int] {
    var count: Int32 = 0
    guard unsafe table.architecture_count(&count) == 0, count > 0 else { return [] }
    var list = [Int32](repeating: 0, count: Int(count))
    guard unsafe table.architectures(&list) == 0 else { return [] }
    return list.map(Int.init)
  }

  /// What one compilation is made of; equal sources give equal machine code.
  package struct Source: Sendable, Hashable {
    /// A file of `CCUDA`: "rows.cu".
    package var file: String
    /// "HIDDEN=768".
    package var defines: [String]
    package var architecture: Int

    package init(file: String, defines: [String], architecture: Int) {
      self.file = file
      self.defines = defines
      self.architecture = architecture
    }

    var options: [String] {
      // What only one generation has is compiled for that one alone (the suffix a).
      let suffix = file == KernelCatalogue.hopperFile ? "a" : ""
      return ["-arch=sm_\(architecture)\(suffix)", "-std=c++17"] + defines.map { "-D\($0)" }
    }

    /// The text of the file and of the header that all share.
    var text: (source: String, header: String) {
      get throws(ComputeError) {
        guard let source = unsafe ccuda_source(file), let header = unsafe ccuda_source("device.h")
        else { throw .device("there are no kernels named \(file)") }
        return unsafe (String(cString: source), String(cString: header))
      }
    }
  }

  /// Machine code; throws `device` with the compiler's log.
  package func compile(_ source: Source) throws(ComputeError) -> [UInt8] {
    let (text, header) = try source.text
    var program: UInt64 = 0
    let created = unsafe header.withCString { header in
      unsafe "device.h".withCString { name in
        let (headers, names): ([UnsafePointer<CChar>?], [UnsafePointer<CChar>?])
        unsafe (headers, names) = ([header], [name])
        return unsafe table.create(&program, text, source.file, 1, headers, names)
      }
    }
    guard created == 0 else { throw .device("NVRTC takes no source: error \(created)") }
    defer { _ = unsafe table.destroy(&program) }

    let code = unsafe withCStrings(source.options) { options in
      unsafe table.compile(program, Int32(options.count), options)
    }
    guard code == 0 else {
      throw .device("\(source.file) does not compile (\(source.options)):\n\(log(of: program))")
    }
    var size = 0
    guard unsafe table.cubin_size(program, &size) == 0, size > 0 else {
      throw .device("NVRTC made no machine code for sm_\(source.architecture)")
    }
    var cubin = [CChar](repeating: 0, count: size)
    guard unsafe table.cubin(program, &cubin) == 0 else {
      throw .device("NVRTC hands out no machine code")
    }
    return cubin.map { UInt8(bitPattern: $0) }
  }

  private func log(of program: UInt64) -> String {
    var size = 0
    guard unsafe table.log_size(program, &size) == 0, size > 0 else { return "no log" }
    var log = [CChar](repeating: 0, count: size)
    guard unsafe table.log(program, &log) == 0 else { return "no log" }
    return String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Calls `body` with C copies of `strings`, valid during the call.
private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> Result
) -> Result {
  var bytes: [CChar] = []
  var starts: [Int] = []
  for string in strings {
    starts.append(bytes.count)
    bytes += string.utf8CString
  }
  return unsafe bytes.withUnsafeBufferPointer { buffer in
    var pointers: [UnsafePointer<CChar>?] = unsafe []
    for start in starts { unsafe pointers.append(buffer.baseAddress.map { unsafe $0 + start }) }
    return unsafe body(pointers)
  }
}

extension KernelCompiler {
  /// The machine code from the standard cache, or compiled now and kept there.
  package func code(of source: Source) throws(ComputeError) -> [UInt8] {
    try KernelCache.standard.code(for: source, version: version) { () throws(ComputeError) in
      try compile(source)
    }
  }
}
