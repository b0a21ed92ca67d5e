package import Compute

/// What training may take of the machine at once.
package struct TrainingRoom: Sendable {
  /// Tokens that run at once where many train, if the memory has room for them.
  package var tokens: Int
  /// vBERTs of a wave at most: what a wave has trained is published before the next begins.
  package var members: Int
  /// Bytes of computed n-gram rows that an opened base keeps.
  package var rowCache: Int
  /// Asked once a base is open; its device may say what is free.
  package var memory: @Sendable (any Backend) throws -> TrainingMemory

  package init(
    tokens: Int, members: Int, rowCache: Int = OpenedBase.rowBytes,
    memory: @escaping @Sendable (any Backend) throws -> TrainingMemory = { _ in .unbounded }
  ) {
    (self.tokens, self.members, self.rowCache) = (tokens, members, rowCache)
    self.memory = memory
  }
}
