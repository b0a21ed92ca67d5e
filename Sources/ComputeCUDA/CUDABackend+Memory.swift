internal import CCUDA
package import Compute

extension CUDABackend {
  package func allocate(byteCount: Int) throws(ComputeError) -> DeviceBuffer {
    guard byteCount > 0 else { return DeviceBuffer(address: 0, byteCount: 0, free: { _ in }) }
    let address = try device.allocate(byteCount, flag: "--token-budget")
    return DeviceBuffer(
      address: address, byteCount: byteCount, free: { [device] in device.free($0) })
  }

  package func upload(_ values: UnsafeBufferPointer<Float>, to tensor: Tensor) throws(ComputeError)
  {
    precondition(tensor.isContiguous && values.count == tensor.count)
    device.shadows.changed(tensor.address)
    let size = tensor.type.byteCount
    let most = staging.capacity / size
    var done = 0
    while done < values.count {
      let count = min(most, values.count - done)
      let chunk = unsafe UnsafeBufferPointer(rebasing: values[done..<done + count])
      unsafe try copy(to: tensor.address + UInt(done * size), bytes: count * size) { memory in
        unsafe Conversion.store(chunk, as: tensor.type, into: memory)
      }
      done += count
    }
  }

  package func download(_ tensor: Tensor, into values: UnsafeMutableBufferPointer<Float>)
    throws(ComputeError)
  {
    precondition(tensor.isContiguous && values.count == tensor.count)
    let size = tensor.type.byteCount
    let most = staging.capacity / size
    var done = 0
    repeat {
      let count = min(most, values.count - done)
      let memory = unsafe try staging.take(count * size, wait: finish)
      device.enter()
      if count > 0 {
        try device.driver.check(
          unsafe device.driver.table.copy_to_host(
            memory.baseAddress, UInt64(tensor.address) + UInt64(done * size), count * size, stream),
          "copying to the host")
      }
      try finish()
      unsafe Conversion.load(
        UnsafeRawBufferPointer(memory), as: tensor.type,
        into: UnsafeMutableBufferPointer(rebasing: values[done..<done + count]))
      done += count
    } while done < values.count
  }

  /// Copies `bytes` bytes that `fill` writes to device memory, through the staging ring.
  func copy(to address: UInt, bytes: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void)
    throws(ComputeError)
  {
    let memory = unsafe try staging.take(bytes, wait: finish)
    unsafe fill(memory)
    device.enter()
    try device.driver.check(
      unsafe device.driver.table.copy_to_device(
        UInt64(address), memory.baseAddress, bytes, stream), "copying to the GPU")
  }

  /// Copies a few bytes of device memory to the host, once all before is done, for `body` to read.
  func copyToHost(
    from address: UInt, bytes: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(ComputeError) {
    let memory = unsafe try staging.take(bytes, wait: finish)
    device.enter()
    try device.driver.check(
      unsafe device.driver.table.copy_to_host(memory.baseAddress, UInt64(address), bytes, stream),
      "copying to the host")
    try finish()
    unsafe body(UnsafeRawBufferPointer(memory))
  }

  /// Values in device memory, after all earlier operations are done.
  func read<Element: BitwiseCopyable>(_ address: UInt, count: Int) throws(ComputeError)
    -> [Element]
  {
    let size = MemoryLayout<Element>.stride
    var values: [Element] = []
    values.reserveCapacity(count)
    while values.count < count {
      let part = min(staging.capacity / size, count - values.count)
      let memory = unsafe try staging.take(part * size, wait: finish)
      device.enter()
      try device.driver.check(
        unsafe device.driver.table.copy_to_host(
          memory.baseAddress, UInt64(address) + UInt64(values.count * size), part * size, stream),
        "copying to the host")
      try finish()
      unsafe values.append(contentsOf: memory.bindMemory(to: Element.self))
    }
    return values
  }

  /// Fills a buffer with zeros.
  func clear(_ buffer: borrowing DeviceBuffer) throws(ComputeError) {
    device.enter()
    try device.driver.check(
      device.driver.table.clear(UInt64(buffer.address), 0, buffer.byteCount, stream),
      "clearing memory")
  }

  /// Copies a contiguous tensor to another of the same type and shape, on the device.
  package func copy(_ tensor: Tensor, to other: Tensor) throws(ComputeError) {
    precondition(tensor.isContiguous && other.isContiguous && tensor.type == other.type)
    precondition(tensor.count == other.count)
    device.shadows.changed(other.address)
    device.enter()
    try device.driver.check(
      device.driver.table.copy_on_device(
        UInt64(other.address), UInt64(tensor.address), tensor.count * tensor.type.byteCount, stream),
      "copying on the GPU")
  }

  /// A lent device buffer that holds `values`.
  func table<Element: BitwiseCopyable>(_ values: [Element]) throws(ComputeError) -> BufferPool.Lent
  {
    let bytes = values.count * MemoryLayout<Element>.stride
    let buffer = try buffers.take(bytes)
    var done = 0
    unsafe try values.withUnsafeBufferPointer { values throws(ComputeError) in
      let values = UnsafeRawBufferPointer(values)
      while done < bytes {
        let count = min(staging.capacity, bytes - done)
        unsafe try copy(to: buffer.address + UInt(done), bytes: count) { memory in
          unsafe memory.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: values[done..<done + count]))
        }
        done += count
      }
    }
    return buffer
  }

  package func prepare(_ matrix: HostMatrix) throws(ComputeError) -> any Matrix {
    guard matrix.inputs % 8 == 0, matrix.outputs % 8 == 0 else {
      throw .unsupported(
        "a \(matrix.outputs) x \(matrix.inputs) matrix: sides must be multiples of 8")
    }
    let weight = try resident(matrix.weight)
    let bias = try resident(matrix.bias ?? [])
    return try CUDAMatrix(
      outputs: matrix.outputs, inputs: matrix.inputs, weight: weight, bias: bias,
      products: device.products)
  }

  /// `values` in bf16, on the device when this returns, for all lanes.
  private func resident(_ values: [Float]) throws(ComputeError) -> DeviceBuffer {
    let buffer = try allocate(byteCount: 2 * values.count)
    let tensor = buffer.tensor(rows: 1, columns: values.count, type: .bfloat16)
    unsafe try values.withUnsafeBufferPointer { values throws(ComputeError) in
      unsafe try upload(values, to: tensor)
    }
    try finish()
    return buffer
  }
}
