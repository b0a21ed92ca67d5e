/// Waits for what other threads bring about. Throws when it hasn't come after a minute of asking, so
/// that a test ends and says where.
package func until(_ condition: () -> Bool) async throws {
  for _ in 0..<60_000 {
    if condition() { return }
    try await Task.sleep(for: .milliseconds(1))
  }
  throw WaitedInVain()
}

package struct WaitedInVain: Error {}
