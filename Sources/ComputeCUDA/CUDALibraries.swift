internal import CCUDA
internal import Compute
private import Foundation

/// The opened libraries: tables of their functions, and the report of how they were found.
///
/// What is not found stays nil; `CUDADevice` refuses to start without all three and says why.
@safe package struct CUDALibraries: @unchecked Sendable {
  var driver: ccuda_driver?
  var compiler: ccuda_compiler?
  var products: ccuda_blas?
  package internal(set) var report: LibraryReport

  /// Opens what there is; `directories` come first. Never throws: the report says what is wrong.
  package static func find(directories: [String] = []) -> CUDALibraries {
    let search = LibrarySearch.here(directories: directories)
    var found = CUDALibraries(report: LibraryReport(findings: []))
    var (driver, compiler, products) = (ccuda_driver(), ccuda_compiler(), ccuda_blas())
    var finding = unsafe open(.driver, search) { unsafe ccuda_bind_driver($0, &driver) }
    if finding.problem == nil {
      let code = driver.`init`(0)
      if code == 0 {
        var version: Int32 = 0
        _ = unsafe driver.driver_version(&version)
        finding.version = "\(version / 1000).\(version % 1000 / 10)"
        found.driver = driver
      } else {
        finding.problem = "the driver does not start: \(text(of: code, driver))"
      }
    }
    found.report.findings.append(finding)

    finding = unsafe open(.compiler, search) { unsafe ccuda_bind_compiler($0, &compiler) }
    if finding.problem == nil {
      var (major, minor): (Int32, Int32) = (0, 0)
      _ = unsafe compiler.version(&major, &minor)
      finding.version = "\(major).\(minor)"
      found.compiler = compiler
    }
    found.report.findings.append(finding)

    finding = unsafe open(.products, search) { unsafe ccuda_bind_blas($0, &products) }
    if finding.problem == nil {
      let version = products.version()
      finding.version = "\(version / 10000).\(version % 10000 / 100)"
      found.products = products
    }
    found.report.findings.append(finding)
    return found
  }

  /// Tries the candidates of a library until one opens and has all functions.
  private static func open(
    _ kind: LibraryKind, _ search: LibrarySearch,
    bind: (UnsafeMutableRawPointer) -> UnsafePointer<CChar>?
  ) -> LibraryReport.Finding {
    var finding = LibraryReport.Finding(kind: kind, problem: "not found")
    for candidate in search.candidates(for: kind) {
      if kind == .compiler { openBuiltins(beside: candidate) }
      var reason = [CChar](repeating: 0, count: 512)
      guard let library = unsafe ccuda_open(candidate, &reason, reason.count) else {
        if candidate.contains("/") { finding.problem = string(reason) }
        continue
      }
      if let missing = unsafe bind(library) {
        finding.problem = unsafe "\(candidate) has no function \(String(cString: missing))"
        continue
      }
      var path = [CChar](repeating: 0, count: 4096)
      finding.path =
        unsafe ccuda_path(library, kind.symbol, &path, path.count) != 0 ? string(path) : candidate
      finding.problem = nil
      return finding
    }
    return finding
  }

  /// The compiler asks the loader for its built-ins by name alone; a wheel's are found only if they
  /// are open already.
  private static func openBuiltins(beside path: String) {
    let directory = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    guard path.contains("/"),
      let names = try? FileManager.default.contentsOfDirectory(atPath: directory)
    else { return }
    for name in names where name.hasPrefix("libnvrtc-builtins.so") {
      var reason: [CChar] = [0]
      _ = unsafe ccuda_open(directory + name, &reason, 0)
    }
  }

  private static func string(_ text: [CChar]) -> String {
    String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func text(of code: Int32, _ driver: ccuda_driver) -> String {
    var text: UnsafePointer<CChar>?
    _ = unsafe driver.error_string(code, &text)
    return unsafe text.map { unsafe String(cString: $0) } ?? "error \(code)"
  }
}
