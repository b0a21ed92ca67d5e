/// What was found of NVIDIA's libraries on this machine, and what to do about what was not.
package struct LibraryReport: Sendable, Equatable {
  package struct Finding: Sendable, Equatable {
    package let kind: LibraryKind
    /// The file it came from; nil if it was not found or lacks a function.
    package var path: String?
    /// "13.0"; nil if unknown.
    package var version: String?
    /// Why it cannot be used; nil if it can.
    package var problem: String?
  }

  package var findings: [Finding]

  package var isComplete: Bool { findings.allSatisfy { $0.problem == nil } }

  package subscript(kind: LibraryKind) -> Finding? { findings.first { $0.kind == kind } }
}

extension LibraryReport: CustomStringConvertible {
  /// One line a library: "compiler   13.0  /usr/local/cuda/lib64/libnvrtc.so.13".
  package var description: String {
    findings.map { finding in
      let name = finding.kind.rawValue
      let padded = name + String(repeating: " ", count: max(1, 10 - name.utf8.count))
      guard let problem = finding.problem else {
        return "\(padded)\(finding.version ?? "?")  \(finding.path ?? "?")"
      }
      return "\(padded)missing: \(problem)\n          to get it: \(finding.kind.remedy)"
    }.joined(separator: "\n")
  }
}
