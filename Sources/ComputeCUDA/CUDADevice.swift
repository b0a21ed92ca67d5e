internal import CCUDA
package import Compute
internal import Synchronization

/// One GPU: its context, compiled kernels, adapter pool and product plans, shared by all lanes on it.
/// Any thread may call it.
@safe package final class CUDADevice: @unchecked Sendable {
  package struct Options: Sendable {
    /// Number of the GPU, as `vbert devices` counts.
    package var ordinal = 0
    /// Device memory for adapters that stay; nil: `adapterFraction` of what is free (`AdapterShare`).
    package var adapterBytes: Int?
    package var adapterFraction = 0.5
    /// How long loading an adapter waits for pages that running batches hold.
    package var pagePatience = Duration.zero
    /// Pinned host memory, per lane, through which data travels.
    package var stagingBytes = 64 << 20
    /// GELU inside the product (tanh form, errors to 5e-4) or after it (exact).
    package var gelu = GELU.fused

    package init() {}
  }

  package enum GELU: Sendable { case fused, exact }

  package let name: String
  /// 90 for compute capability 9.0.
  package let architecture: Int
  package let multiprocessors: Int
  package let memoryBytes: Int
  package let options: Options
  /// Device memory for adapters that stay.
  package let adapterBytes: Int
  let driver: Driver
  let products: Products
  let sharedMemoryPerBlock: Int
  private let ordinal: Int32
  private let context: UInt64
  private let compiler: KernelCompiler
  private let cache: KernelCache
  private let modules = Mutex<[KernelCompiler.Source: Module]>([:])
  private let owned = Mutex(AddressRanges())
  let pages: PagePool
  let shadows = Shadows()

  @safe private struct Module: @unchecked Sendable {
    let handle: UInt64
    var kernels: [String: Kernel] = [:]
  }

  /// Throws `unsupported`, with what is missing and how to get it, where there is no usable GPU.
  package convenience init(_ libraries: CUDALibraries, options: Options = Options())
    throws(ComputeError)
  {
    try self.init(libraries, options: options, cache: .standard)
  }

  init(_ libraries: CUDALibraries, options: Options, cache: KernelCache) throws(ComputeError) {
    guard let table = libraries.driver, let compiler = KernelCompiler(libraries),
      let blas = libraries.products
    else {
      throw .unsupported(
        """
        --device cuda needs three libraries of NVIDIA's (--cuda-libraries DIR says where to look; \
        --device cpu needs none):
        \(libraries.report)
        """)
    }
    let driver = Driver(table: table)
    self.driver = driver
    self.compiler = compiler
    self.cache = cache
    self.options = options
    var count: Int32 = 0
    try driver.check(unsafe table.device_count(&count), "counting GPUs")
    guard options.ordinal >= 0, options.ordinal < Int(count) else {
      throw .unsupported(
        "--device cuda:\(options.ordinal): this machine has \(count) GPUs, counted from 0; "
          + "vbert devices lists them")
    }
    var device: Int32 = 0
    try driver.check(unsafe table.device_get(&device, Int32(options.ordinal)), "opening the GPU")
    ordinal = device
    var context: UInt64 = 0
    try driver.check(unsafe table.context_retain(&context, device), "making a context")
    self.context = context
    try driver.check(table.context_set(context), "entering the context")

    let description = try driver.describe(device: device, ordinal: options.ordinal)
    (name, architecture) = (description.name, description.architecture)
    memoryBytes = description.memoryBytes
    multiprocessors = try driver.attribute(DriverNumber.multiprocessors, of: device)
    sharedMemoryPerBlock = try driver.attribute(DriverNumber.sharedMemoryPerBlock, of: device)
    guard description.isSupported else {
      throw .unsupported(
        "\(name): the kernels need compute capability 8.0 or newer; compute with --device cpu")
    }
    var (free, total) = (0, 0)
    try driver.check(unsafe driver.table.memory_info(&free, &total), "asking for free memory")
    let share = try AdapterShare(
      adapterBytes: options.adapterBytes ?? Int(options.adapterFraction * Double(free)),
      freeBytes: free)
    adapterBytes = share.kept
    pages = PagePool(limit: share.pool, patience: options.pagePatience)
    products = try Products(blas)
  }

  deinit {
    enter()
    for module in modules.withLock({ $0 }).values { _ = driver.table.module_unload(module.handle) }
    for block in pages.close() { free(block) }
    _ = driver.table.context_release(ordinal)
  }

  /// Makes the calling thread's driver calls go to this GPU; a few nanoseconds.
  func enter() { _ = driver.table.context_set(context) }

  /// Device memory, aligned to 256 bytes. `flag` names what to lower when there is none.
  func allocate(_ bytes: Int, flag: String) throws(ComputeError) -> UInt {
    enter()
    var address: UInt64 = 0
    let code = unsafe driver.table.memory_allocate(&address, bytes)
    if code == Driver.outOfMemory { throw .outOfMemory(requestedBytes: bytes, flag: flag) }
    try driver.check(code, "taking device memory")
    owned.withLock { $0.insert(UInt(address), byteCount: bytes) }
    return UInt(address)
  }

  /// The device memory that was taken here and not freed.
  var memory: AddressRanges { owned.withLock { $0 } }

  /// The allocation that holds an address.
  func range(containing address: UInt) -> Range<UInt>? {
    owned.withLock { $0.range(containing: address) }
  }

  /// Waits for what runs, then frees.
  func free(_ address: UInt) {
    enter()
    owned.withLock { $0.remove(address) }
    _ = driver.table.memory_free(UInt64(address))
    if let copy = shadows.remove(address) { free(copy) }
  }

  /// Free bytes of the GPU, other programs' use counted.
  package func freeBytes() throws(ComputeError) -> Int {
    enter()
    var (free, total) = (0, 0)
    try driver.check(unsafe driver.table.memory_info(&free, &total), "asking for free memory")
    return free
  }

  /// A kernel, compiled for these shapes at its first use.
  func kernel(_ name: String, in file: String, _ defines: [String]) throws(ComputeError) -> Kernel {
    let source = KernelCompiler.Source(file: file, defines: defines, architecture: architecture)
    enter()
    return try modules.withLock { modules throws(ComputeError) in
      if let known = modules[source]?.kernels[name] { return known }
      if modules[source] == nil { modules[source] = Module(handle: try load(source)) }
      var function: UInt64 = 0
      let handle = modules[source]?.handle ?? 0
      try driver.check(
        unsafe driver.table.module_function(&function, handle, name), "finding a kernel")
      let kernel = Kernel(function: function, driver: driver)
      modules[source]?.kernels[name] = kernel
      return kernel
    }
  }

  private func load(_ source: KernelCompiler.Source) throws(ComputeError) -> UInt64 {
    let code = try cache.code(for: source, version: compiler.version) { () throws(ComputeError) in
      try compiler.compile(source)
    }
    var module: UInt64 = 0
    try driver.check(unsafe driver.table.module_load(&module, code), "loading kernels")
    return module
  }
}

/// A function on the GPU.
@safe final class Kernel: @unchecked Sendable {
  let function: UInt64
  private let driver: Driver
  /// Dynamic shared memory granted so far; more than 48 KB, fixed arrays included, must be asked for.
  private let granted = Mutex(32 << 10)

  init(function: UInt64, driver: Driver) {
    self.function = function
    self.driver = driver
  }

  func grant(sharedBytes: Int) throws(ComputeError) {
    try granted.withLock { granted throws(ComputeError) in
      guard sharedBytes > granted else { return }
      try driver.check(
        driver.table.function_attribute(
          function, DriverNumber.dynamicSharedMemory, Int32(sharedBytes)),
        "granting shared memory")
      granted = sharedBytes
    }
  }
}
