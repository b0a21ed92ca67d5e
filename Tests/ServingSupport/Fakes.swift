package import Compute
internal import Foundation
package import Manager
package import Model
package import Scheduler
internal import Synchronization

/// An adapter source that hangs, or fails everybody, as long as it is told to.
package final class StubbornSource: AdapterSource {
  package enum Mood: Sendable { case well, hangs, fails }
  private let home: TinyHome
  private let state = Mutex(Mood.well)

  /// Keeps `home`, whose cache it asks.
  package init(_ home: TinyHome, _ mood: Mood = .well) {
    self.home = home
    state.withLock { $0 = mood }
  }

  package var mood: Mood {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }

  package func resident(
    for id: VersionID, base: Configuration
  ) throws(AdapterError) -> any ResidentAdapter {
    while mood == .hangs { Thread.sleep(forTimeInterval: 0.001) }
    if mood == .fails { throw .corrupt(vbert: "\(id.vbert)", version: id.number, why: "is lost") }
    return try home.cache.resident(for: id, base: base)
  }
}

/// Fixed witnesses, and a disk that can be lost.
package final class FixedWitnesses: ProbeWitnesses {
  private let vberts: [PinnedVBert]
  private let failure = Mutex<String?>(nil)

  package init(_ vberts: [PinnedVBert]) { self.vberts = vberts }

  package var lost: String? {
    get { failure.withLock { $0 } }
    set { failure.withLock { $0 = newValue } }
  }
  package func some(_ count: Int) -> [PinnedVBert] { Array(vberts.prefix(count)) }
  package func storageFailure() -> String? { lost }
}
