internal import Foundation

/// The GPU as nvidia-smi describes it: figures without it cannot be compared.
package enum NvidiaSMI {
  /// "NVIDIA H200, 580.159.04, 1980 MHz, ..."; nil where the program is not there.
  package static func line(ordinal: Int) -> String? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "nvidia-smi", "--id=\(ordinal)", "--format=csv,noheader",
      "--query-gpu=name,driver_version,memory.total,clocks.sm,power.draw,power.limit,"
        + "temperature.gpu,utilization.gpu",
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self).split(separator: "\n").first
    return process.terminationStatus == 0 ? text.map(String.init) : nil
  }
}
