internal import CSIMD
internal import Compute

extension CPUBackend {
  /// Calls `body(task, thread)` for every task below `tasks` on the backend's threads. What a task
  /// computes must not depend on the others, so results do not depend on the number of threads.
  func parallel(tasks: Int, _ body: (_ task: Int, _ thread: Int) -> Void) {
    typealias Body = (Int, Int) -> Void
    withoutActuallyEscaping(body) { body in
      var body = body
      unsafe withUnsafeMutablePointer(to: &body) { pointer in
        unsafe csimd_parallel(
          context,
          { argument, task, thread in
            guard let argument = unsafe argument else { return }
            unsafe argument.assumingMemoryBound(to: Body.self).pointee(task, Int(thread))
          }, pointer, tasks)
      }
    }
  }

  /// Cuts 0 ..< count into runs of at most `size` and calls `body` with each, in parallel.
  func parallel(count: Int, by size: Int, _ body: (Range<Int>) -> Void) {
    parallel(tasks: (count + size - 1) / size) { task, _ in
      body(task * size..<min(count, (task + 1) * size))
    }
  }
}

extension Tensor {
  /// The first value of row r.
  func row(_ r: Int) -> UnsafeMutablePointer<Float> { unsafe floats + r * stride }

  /// The first value of a tensor without gaps.
  var dense: UnsafeMutablePointer<Float> {
    precondition(isContiguous)
    return unsafe floats
  }
}
