import TestSupport
import Testing
import Trainer

/// Who trains together: what fits, in the order of the list.
@Suite struct WaveFillingTests {
  private func need(_ own: Int, states: Int = 0, scratch: Int = 0) -> TrainingNeed {
    TrainingNeed(
      own: TrainingBytes(host: own / 2, device: own - own / 2), states: states,
      scratch: TrainingBytes(device: scratch))
  }

  private func wave(_ memory: Int, floor: Int = 0, most: Int = 1000) -> WaveFilling {
    WaveFilling(memory: .shared(memory), floor: TrainingBytes(host: floor), most: most)
  }

  @Test func takesWhatFitsToTheByte() {
    var wave = wave(100, floor: 40)
    #expect(wave.take(need(30)) == .taken && wave.take(need(30)) == .taken)
    #expect(wave.take(need(1)) == .later && wave.count == 2)
  }

  @Test func scratchIsUsedByTurns() {
    var wave = wave(100)
    #expect(wave.take(need(10, scratch: 40)) == .taken)
    #expect(wave.take(need(10, scratch: 30)) == .taken)
    // 30 of its own and 20 more of scratch.
    #expect(wave.take(need(21, scratch: 60)) == .later)
    #expect(wave.take(need(20, scratch: 60)) == .taken)
  }

  @Test func whatIsTooLargeForAnyWaveIsToldApart() {
    var wave = wave(100, floor: 40)
    #expect(wave.take(need(30)) == .taken)
    #expect(wave.take(need(60)) == .later)
    #expect(
      wave.take(need(61)) == .never(needed: TrainingBytes(host: 70, device: 31)))
    #expect(wave.count == 1)
  }

  /// States that do not fit are computed anew, where one trains alone.
  @Test func oneAloneKeepsTheStatesThatThereIsRoomFor() {
    var wave = wave(100, floor: 40)
    #expect(wave.take(need(30, states: 1000)) == .taken && wave.stateBytes == 30)
    #expect(wave.take(need(0)) == .later)
    var other = self.wave(100, floor: 40)
    #expect(other.take(need(10, states: 20)) == .taken)
    #expect(other.take(need(10, states: 21)) == .later)
    #expect(other.take(need(10, states: 20)) == .taken && other.stateBytes == 40)
  }

  @Test func neverMoreThanAreAllowed() {
    var wave = wave(100, most: 2)
    #expect(wave.take(need(1)) == .taken && !wave.isFull)
    #expect(wave.take(need(1)) == .taken && wave.isFull)
    #expect(wave.take(need(1)) == .later)
  }

  @Test func aDeviceOfItsOwnHasABoundOfItsOwn() {
    var wave = WaveFilling(
      memory: .apart(host: 20, device: 100), floor: TrainingBytes(), most: 1000)
    let one = TrainingNeed(own: TrainingBytes(host: 5, device: 40), states: 10)
    #expect(wave.take(one) == .taken && wave.take(one) == .taken)
    #expect(wave.take(one) == .later && wave.stateBytes == 20)
    let rows = TrainingNeed(own: TrainingBytes(host: 11), states: 0)
    #expect(wave.take(rows) == .later)
    let many = TrainingNeed(own: TrainingBytes(host: 21), states: 0)
    #expect(wave.take(many) == .never(needed: TrainingBytes(host: 21)))
  }

  /// However long the list: each wave is within the memory, and everyone has a wave.
  @Test func aLongListHasManyWaves() {
    var random = SeededGenerator(seed: 3)
    let memory = 1000
    var (wave, waves, left) = (wave(memory, floor: 100), 1, 10_000)
    var (own, states, scratch) = (0, 0, 0)
    while left > 0 {
      let next = (
        own: Int.random(in: 0...300, using: &random),
        states: Int.random(in: 0...200, using: &random),
        scratch: Int.random(in: 0...200, using: &random)
      )
      for _ in 0..<2 {
        let verdict = wave.take(need(next.own, states: next.states, scratch: next.scratch))
        if verdict == .taken { break }
        #expect(verdict == .later)
        wave = self.wave(memory, floor: 100)
        (own, states, scratch, waves) = (0, 0, 0, waves + 1)
      }
      (own, states, scratch) = (own + next.own, states + next.states, max(scratch, next.scratch))
      #expect(100 + own + scratch + states <= memory && wave.stateBytes == states)
      left -= 1
    }
    #expect(waves > 1000)
  }
}
