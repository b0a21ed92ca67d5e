internal import Dispatch
internal import Foundation
internal import Synchronization

/// `body` of 0 ..< count in order, computed on all cores.
package func concurrentMap<Value: Sendable>(
  _ count: Int, _ body: @Sendable (Int) -> Value
) -> [Value] {
  let results = Mutex<[Value?]>(Array(repeating: nil, count: count))
  DispatchQueue.concurrentPerform(iterations: count) { i in
    let value = body(i)
    results.withLock { $0[i] = value }
  }
  return results.withLock { $0.compactMap(\.self) }
}

/// The same of a `body` that waits; as many are under way at once as there are cores.
func concurrently<Value: Sendable>(
  _ count: Int, _ body: @escaping @Sendable (Int) async -> Value
) async -> [Value] {
  await withTaskGroup(of: (Int, Value).self) { group in
    var results = [Value?](repeating: nil, count: count)
    var next = 0
    func begin() {
      guard next < count else { return }
      let i = next
      group.addTask { (i, await body(i)) }
      next += 1
    }
    for _ in 0..<ProcessInfo.processInfo.activeProcessorCount { begin() }
    while let (i, value) = await group.next() {
      results[i] = value
      begin()
    }
    return results.compactMap(\.self)
  }
}
