package import Compute

/// Parameters as the GPU reads them, but for where their pages will be: packed once, loaded as often as
/// wanted.
package struct PackedAdapter: Sendable {
  let image: AdapterImage
  let bytes: [UInt8]

  /// Throws `unsupported` for shapes that the kernels do not take.
  package init(_ adapter: HostAdapter) throws(ComputeError) {
    image = try AdapterImage(adapter)
    var bytes = [UInt8](repeating: 0, count: image.byteCount)
    unsafe bytes.withUnsafeMutableBytes { [image] in unsafe image.write(into: $0) }
    self.bytes = bytes
  }
}
