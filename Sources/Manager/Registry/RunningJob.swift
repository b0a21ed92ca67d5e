/// A job in progress, for as long as this object lives or its process does: what keeps it alive is the
/// registry's that began it.
package final class RunningJob: Sendable {
  package let id: Int64
  private let end: @Sendable () -> Void

  /// `end` lets go of what keeps it alive, once it is written down that the job has ended.
  package init(id: Int64, end: @escaping @Sendable () -> Void) { (self.id, self.end) = (id, end) }

  /// For the registry, when what ended the job is safe.
  package func leave() { end() }
}
