import CCUDA
import Foundation

@testable import ComputeCUDA

/// Tables of functions that stand in for the three libraries: device memory is host memory, copies
/// happen at once, kernels are only counted. For the logic around the GPU, not for its numbers.
///
/// C functions have no context, so the record of calls is one for the process; tests that use it run
/// one after another.
enum FakeDriver {
  struct Record {
    var launches: [(name: String, grid: [UInt32], sharedBytes: UInt32, arguments: [UInt64])] = []
    var modules = 0
    var names: [UInt64: String] = [:]
    var live: [UInt64: Int] = [:]
    var products = 0
    var synchronizations = 0
    var waits = 0
    /// Whether events that are asked for have passed.
    var isEventPassed = true
    /// What plays a kernel's part, by name; gets the arguments, eight bytes each.
    var kernels: [String: ([UInt64]) -> Void] = [:]
    /// For the part of the row cache's kernels.
    var admitted: [UInt64: UInt64] = [:]
    /// Device memory that is left.
    var room = 1 << 30
  }

  nonisolated(unsafe) static var record = Record()

  static func libraries() -> CUDALibraries {
    unsafe record = Record()
    var libraries = CUDALibraries(report: LibraryReport(findings: []))
    libraries.driver = driver()
    libraries.compiler = compiler()
    libraries.products = products()
    return libraries
  }

  private static func driver() -> ccuda_driver {
    var table = ccuda_driver()
    unsafe table.device_count = {
      unsafe $0?.pointee = 1; return 0
    }
    unsafe table.device_get = {
      unsafe $0?.pointee = $1; return 0
    }
    unsafe table.device_name = { name, _, _ in
      unsafe name?[0] = CChar(UInt8(ascii: "F"))
      return 0
    }
    unsafe table.device_attribute = { value, attribute, _ in
      let values: [Int32: Int32] = [75: 9, 76: 0, 16: 132, 97: 227 << 10]
      unsafe value?.pointee = values[attribute] ?? 0
      return 0
    }
    unsafe table.device_total_memory = { bytes, _ in
      unsafe bytes?.pointee = 1 << 30
      return 0
    }
    unsafe table.context_retain = { context, _ in
      unsafe context?.pointee = 1; return 0
    }
    table.context_release = { _ in 0 }
    table.context_set = { _ in 0 }
    unsafe table.memory_info = { free, total in
      unsafe free?.pointee = 1 << 30
      unsafe total?.pointee = 1 << 30
      return 0
    }
    unsafe table.memory_allocate = fakeAllocate
    table.memory_free = fakeFree
    unsafe table.host_allocate = { memory, bytes, _ in
      unsafe memory?.pointee = malloc(bytes)
      return 0
    }
    unsafe table.host_free = {
      unsafe free($0); return 0
    }
    unsafe table.copy_to_device = { to, from, bytes, _ in
      guard bytes > 0, let from = unsafe from,
        let to = unsafe UnsafeMutableRawPointer(bitPattern: UInt(to))
      else { return 0 }
      unsafe memcpy(to, from, bytes)
      return 0
    }
    unsafe table.copy_to_host = { to, from, bytes, _ in
      guard let to = unsafe to, let from = unsafe UnsafeRawPointer(bitPattern: UInt(from)) else {
        return 1
      }
      unsafe memcpy(to, from, bytes)
      return 0
    }
    table.clear = { to, value, bytes, _ in
      guard let to = unsafe UnsafeMutableRawPointer(bitPattern: UInt(to)) else { return 1 }
      unsafe memset(to, Int32(value), bytes)
      return 0
    }
    table.copy_on_device = { _, _, _, _ in 0 }
    unsafe table.stream_create = { stream, _ in
      unsafe stream?.pointee = 7; return 0
    }
    table.stream_destroy = { _ in 0 }
    table.stream_synchronize = { _ in
      unsafe FakeDriver.record.synchronizations += 1; return 0
    }
    unsafe table.event_create = { event, _ in
      unsafe event?.pointee = 8; return 0
    }
    table.event_destroy = { _ in 0 }
    table.event_record = { _, _ in 0 }
    table.event_synchronize = { _ in 0 }
    table.event_query = { _ in unsafe FakeDriver.record.isEventPassed ? 0 : 600 }
    table.stream_wait = { _, _, _ in
      unsafe FakeDriver.record.waits += 1; return 0
    }
    unsafe table.event_elapsed = { time, _, _ in
      unsafe time?.pointee = 1; return 0
    }
    unsafe table.module_load = { module, _ in
      unsafe FakeDriver.record.modules += 1
      unsafe module?.pointee = UInt64(FakeDriver.record.modules)
      return 0
    }
    table.module_unload = { _ in 0 }
    unsafe table.module_function = { function, module, name in
      guard let name = unsafe name else { return 1 }
      let handle = unsafe UInt64(FakeDriver.record.names.count + 1)
      unsafe FakeDriver.record.names[handle] = String(cString: name)
      unsafe function?.pointee = handle
      return 0
    }
    table.function_attribute = { _, _, _ in 0 }
    unsafe table.launch = { function, x, y, z, _, _, _, shared, _, parameters, _ in
      let name = unsafe FakeDriver.record.names[function] ?? "?"
      var arguments: [UInt64] = []
      // The backend always passes room for 32.
      for i in 0..<16 {
        if let argument = unsafe parameters?[i] {
          unsafe arguments.append(argument.load(as: UInt64.self))
        }
      }
      unsafe FakeDriver.record.kernels[name]?(arguments)
      unsafe FakeDriver.record.launches.append((name, [x, y, z], shared, arguments))
      return 0
    }
    unsafe table.error_name = { _, name in
      unsafe name?.pointee = nil; return 0
    }
    unsafe table.error_string = { _, text in
      unsafe text?.pointee = nil; return 0
    }
    return table
  }

  private static func compiler() -> ccuda_compiler {
    var table = ccuda_compiler()
    unsafe table.create = { program, _, _, _, _, _ in
      unsafe program?.pointee = 1; return 0
    }
    unsafe table.destroy = { _ in 0 }
    unsafe table.compile = { _, _, _ in 0 }
    unsafe table.cubin_size = { _, size in
      unsafe size?.pointee = 4; return 0
    }
    unsafe table.cubin = { _, bytes in
      guard let bytes = unsafe bytes else { return 1 }
      for (i, byte) in [0x7F, 0x45, 0x4C, 0x46].enumerated() { unsafe bytes[i] = CChar(byte) }
      return 0
    }
    return table
  }

  private static func products() -> ccuda_blas {
    var table = ccuda_blas()
    unsafe table.create = { handle in
      unsafe handle?.pointee = 1; return 0
    }
    table.destroy = { _ in 0 }
    unsafe table.operation_create = { operation, _, _ in
      unsafe operation?.pointee = 2; return 0
    }
    table.operation_destroy = { _ in 0 }
    unsafe table.operation_set = { _, _, _, _ in 0 }
    unsafe table.layout_create = { layout, _, _, _, _ in
      unsafe layout?.pointee = 3; return 0
    }
    table.layout_destroy = { _ in 0 }
    unsafe table.preference_create = { preference in
      unsafe preference?.pointee = 4; return 0
    }
    table.preference_destroy = { _ in 0 }
    unsafe table.preference_set = { _, _, _, _ in 0 }
    unsafe table.choose = { _, _, _, _, _, _, _, _, choices, found in
      // Two, of which the product refuses the first.
      for i in 0..<2 {
        var choice = ccuda_choice()
        choice.algorithm.data.0 = UInt64(i)
        unsafe choices?[i] = choice
      }
      unsafe found?.pointee = 2
      return 0
    }
    unsafe table.multiply = { _, _, _, _, _, _, _, _, _, _, _, _, algorithm, _, _, _ in
      unsafe FakeDriver.record.products += 1
      return unsafe algorithm?.pointee.data.0 == 0 ? 7 : 0
    }
    return table
  }
}

private func fakeAllocate(_ address: UnsafeMutablePointer<UInt64>?, _ bytes: Int) -> Int32 {
  let room = unsafe FakeDriver.record.room
  guard bytes <= room else { return 2 }
  let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 1), alignment: 256)
  unsafe memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: bytes)
  let place = UInt64(UInt(bitPattern: memory))
  unsafe address?.pointee = place
  unsafe FakeDriver.record.live[place] = bytes
  unsafe FakeDriver.record.room -= bytes
  return 0
}

private func fakeFree(_ address: UInt64) -> Int32 {
  guard let bytes = unsafe FakeDriver.record.live.removeValue(forKey: address) else { return 1 }
  unsafe FakeDriver.record.room += bytes
  unsafe UnsafeMutableRawPointer(bitPattern: UInt(address))?.deallocate()
  return 0
}
