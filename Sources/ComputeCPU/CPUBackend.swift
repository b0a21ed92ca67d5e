internal import CSIMD
package import Compute
internal import Foundation
internal import Synchronization

/// How the products with the base's frozen matrices are computed; all else is float32.
package enum Precision: String, Sendable, CaseIterable {
  case fp32
  /// Rows and weights rounded to bfloat16, summed in fp32: what training's frozen maps may be, too.
  case bf16
  /// Rows and weights rounded to bytes in groups of 128 inputs, summed exactly.
  case int8
}

/// The CPU backend: float32, kernels in C, a pool of threads of its own that the caller joins.
///
/// A row's result does not depend on the rows beside it nor on the number of threads, to the bit.
/// Memory and preparation touch nothing that operations share, so another thread may load adapters
/// while one computes.
@safe package final class CPUBackend: Backend {
  package let name: String
  package let activationType = ElementType.float32
  package let instructionSet: InstructionSet
  package let threads: Int
  /// Of the products that `prepareReduced` prepares.
  package let precision: Precision
  /// Unowned C memory: one thread at a time calls a backend, as its contract says.
  @safe nonisolated(unsafe) let context: OpaquePointer
  /// An adapter step's pieces: the same memory for every step of every batch.
  @safe nonisolated(unsafe) var tasks: [csimd_group] = unsafe []
  let baseWeights = Mutex(WeightArena(pieceBytes: 16 << 20))

  /// Throws `unsupported` for an instruction set that this processor lacks, `device` when the
  /// threads cannot be had.
  package init(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount, instructionSet: InstructionSet,
    precision: Precision = .fp32
  ) throws(ComputeError) {
    guard instructionSet.isSupported else {
      throw .unsupported("this processor does not run \(instructionSet.rawValue) kernels")
    }
    let count = max(1, threads)
    guard let context = unsafe csimd_create(Int32(clamping: count), instructionSet.code) else {
      throw .device("cannot start \(count) compute threads; use fewer threads")
    }
    unsafe self.context = context
    self.threads = count
    self.instructionSet = instructionSet
    self.precision = precision
    let reduced = precision == .fp32 ? "" : ", \(precision.rawValue)"
    name = "cpu (\(instructionSet.rawValue)\(reduced), \(count) thread\(count == 1 ? "" : "s"))"
  }

  /// The instruction set that `VBERT_CPU` names, or the best.
  package convenience init(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount, precision: Precision = .fp32
  ) throws(ComputeError) {
    try self.init(threads: threads, instructionSet: .chosen(), precision: precision)
  }

  deinit { unsafe csimd_destroy(context) }
}

/// Scratch memory was not to be had; `bytes` is a hint only.
func check(_ status: Int32) throws(ComputeError) {
  if status != Int32(CSIMD_OK) {
    throw .outOfMemory(requestedBytes: 0, flag: "the token budget of a batch")
  }
}

extension Tensor {
  /// Whether these are attention's biases for so many heads and such sequences.
  func fits(heads: Int, longest: Int) -> Bool {
    rows == heads && columns % 2 == 1 && stride == columns && columns >= 2 * longest - 1
  }

  /// The values, which must be float32.
  var floats: UnsafeMutablePointer<Float> {
    precondition(type == .float32)
    guard let pointer = unsafe UnsafeMutablePointer<Float>(bitPattern: address) else {
      preconditionFailure("an empty tensor has no values")
    }
    return unsafe pointer
  }
}
