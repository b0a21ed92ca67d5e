internal import Dispatch
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
