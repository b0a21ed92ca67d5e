internal import Compute
package import Model

/// Finds a batch's rows: looks every different n-gram up once, computes those that are missing once.
/// One a prefetch thread: its scratch memory is reused, its computer belongs to one lane.
@safe package final class NGramLookup {
  package let store: PLOTStore
  private let computer: any NGramComputer
  /// N-grams computed at once.
  private let chunk: Int
  private var values: UnsafeMutableBufferPointer<Float>

  /// The batch's n-grams, by domain, and what was found for each.
  private var wanted = DistinctNGrams()
  private var found: [Found] = []
  /// For every token its n-gram's number in `wanted`.
  private var numbers: [UInt32] = []
  /// Those to be computed.
  private var missing = DistinctNGrams()
  /// See `PLOTFile.touch`.
  private var touchedBits: Int32 = 0
  /// Hashes of rows found in the cache.
  private var touched: [UInt64] = []

  private struct Found {
    var row = NGramRow.zero
    var level = PLOTLevel.trigram
    /// Number in `missing`, or -1.
    var missing: Int32 = -1
    var isCached = false
  }

  /// Tokens that look in one domain's tables.
  package struct Segment: Sendable {
    package let tokens: Range<Int>
    package let domain: PLOTDomain

    package init(tokens: Range<Int>, domain: PLOTDomain) {
      self.tokens = tokens
      self.domain = domain
    }
  }

  /// How long the rows are kept.
  package enum Keep: Sendable {
    /// Some milliseconds: rows of the cache stay where they are, and cannot be replaced meanwhile.
    case batch
    /// As long as you like: rows of the cache are copied.
    case job
  }

  package init(store: PLOTStore, computer: any NGramComputer, chunk: Int = 512) {
    self.store = store
    self.computer = computer
    self.chunk = chunk
    unsafe values = .allocate(capacity: chunk * store.format.valueCount)
  }

  deinit { unsafe values.deallocate() }

  /// The rows of `grams`, one a token. Tokens outside all `segments` look in the general table.
  /// Throws what the computer throws; then nothing was admitted.
  package func rows(
    for grams: [NGram], segments: [Segment] = [], mode: PLOTMode, keep: Keep = .batch
  ) throws -> PLOTRows {
    let pin = mode == .off ? nil : store.cache.pins.pin()
    let general = store.general
    number(grams, segments)
    try find(mode, general, segments, useCache: pin != nil)
    let format =
      mode == .off ? PLOTRowFormat(type: .float32, hidden: store.format.hidden) : store.format
    let copies = keep == .job ? touched.count : 0
    let memory = try compute(format, andRoomFor: copies)
    if keep == .job { copyCached(to: memory, from: missing.count) }
    if mode != .off { admit(memory) }
    return collect(format, memory, pin: keep == .job ? nil : pin, general, segments)
  }

  /// Numbers the tokens' n-grams.
  private func number(_ grams: [NGram], _ segments: [Segment]) {
    wanted.reset(most: grams.count)
    numbers.removeAll(keepingCapacity: true)
    numbers.reserveCapacity(grams.count)
    var next = 0
    for segment in segments {
      precondition(segment.tokens.lowerBound >= next && segment.tokens.upperBound <= grams.count)
      for gram in grams[next..<segment.tokens.lowerBound] {
        numbers.append(UInt32(wanted.insert(gram)))
      }
      for gram in grams[segment.tokens] {
        numbers.append(UInt32(wanted.insert(gram, tag: segment.domain.number)))
      }
      next = segment.tokens.upperBound
    }
    for gram in grams[next...] { numbers.append(UInt32(wanted.insert(gram))) }
  }

  /// Decides for every different n-gram where its row comes from.
  private func find(
    _ mode: PLOTMode, _ general: PLOTDomain, _ segments: [Segment], useCache: Bool
  ) throws(PLOTError) {
    missing.reset(most: wanted.count)
    touched.removeAll(keepingCapacity: true)
    found.removeAll(keepingCapacity: true)
    found.reserveCapacity(wanted.count)
    var domain = general
    if mode != .off { for file in domain.files { touchedBits ^= file.touch(wanted.hashes) } }
    for i in 0..<wanted.count {
      let gram = wanted.grams[i]
      if wanted.tags[i] != domain.number { domain = segments.domain(wanted.tags[i]) ?? general }
      let hash = wanted.hashes[i]
      switch mode {
      case _ where !gram.hasCentre: found.append(Found())
      case .off: found.append(compute(gram))
      case .fallback where domain.isWhole:
        found.append(try fallback(gram, hash, domain, useCache))
      case .exact, .fallback:
        found.append(
          try stored(gram, hash, .trigram, domain, useCache)
            ?? cached(gram, hash, .trigram, useCache) ?? compute(gram))
      }
    }
  }

  /// Asks files alone for tri- and bi-grams: what others computed meanwhile must not change a reply.
  private func fallback(
    _ gram: NGram, _ hash: UInt64, _ domain: PLOTDomain, _ useCache: Bool
  ) throws(PLOTError) -> Found {
    if let found = try stored(gram, hash, .trigram, domain, useCache) { return found }
    let bigram = gram.bigram
    if bigram != gram, bigram.right != NGram.none,
      let found = try stored(bigram, bigram.plotHash, .bigram, domain, useCache)
    {
      return found
    }
    let unigram = gram.unigram
    let unigramHash = unigram.plotHash
    return try stored(unigram, unigramHash, .unigram, domain, useCache)
      ?? cached(unigram, unigramHash, .unigram, useCache) ?? compute(unigram)
  }

  /// A row that is stored and damaged is computed: nothing else stands in for it.
  private func stored(
    _ gram: NGram, _ hash: UInt64, _ level: PLOTLevel, _ domain: PLOTDomain, _ useCache: Bool
  ) throws(PLOTError) -> Found? {
    for file in domain.files {
      switch file.look(gram, hash: hash) {
      case .absent: continue
      case .row(let row): return Found(row: row, level: level)
      case .damaged:
        try store.foundDamage(in: file, of: domain)
        return cached(gram, hash, level, useCache) ?? compute(gram)
      }
    }
    return nil
  }

  private func cached(
    _ gram: NGram, _ hash: UInt64, _ level: PLOTLevel, _ useCache: Bool
  ) -> Found? {
    guard useCache else { return nil }
    let address = store.cache.find(gram, hash: hash)
    guard address != 0 else { return nil }
    touched.append(hash)
    let row = NGramRow(address: address, type: store.format.type.elementType)
    return Found(row: row, level: level, isCached: true)
  }

  private func compute(_ gram: NGram) -> Found {
    Found(level: .computed, missing: Int32(missing.insert(gram)))
  }

  /// Computes the missing rows, in `format` one after the other, with room for some more behind.
  private func compute(_ format: PLOTRowFormat, andRoomFor more: Int) throws -> RowMemory {
    let memory = RowMemory(byteCount: (missing.count + more) * format.stride)
    guard let start = unsafe UnsafeMutableRawPointer(bitPattern: memory.address) else {
      return memory
    }
    let width = format.valueCount
    var first = 0
    while first < missing.count {
      let grams = Array(missing.grams[first..<min(first + chunk, missing.count)])
      unsafe try computer.compute(
        grams, into: UnsafeMutableBufferPointer(rebasing: values[0..<grams.count * width]))
      if let values = unsafe values.baseAddress {
        for i in grams.indices {
          unsafe format.encode(values + i * width, to: start + (first + i) * format.stride)
        }
      }
      first += grams.count
    }
    return memory
  }

  private func copyCached(to memory: RowMemory, from first: Int) {
    var next = memory.address + UInt(first * store.format.stride)
    for i in found.indices where found[i].isCached {
      if let target = unsafe UnsafeMutableRawPointer(bitPattern: next),
        let source = unsafe UnsafeRawPointer(bitPattern: found[i].row.address)
      {
        unsafe target.copyMemory(from: source, byteCount: store.format.stride)
      }
      found[i].row = NGramRow(address: next, type: found[i].row.type)
      next += UInt(store.format.stride)
    }
  }

  private func admit(_ memory: RowMemory) {
    unsafe touched.withUnsafeBufferPointer { unsafe store.cache.recordIfFree($0) }
    guard let rows = unsafe UnsafeRawPointer(bitPattern: memory.address) else { return }
    unsafe missing.grams.withUnsafeBufferPointer { unsafe store.cache.admit($0, rows: rows) }
  }

  private func collect(
    _ format: PLOTRowFormat, _ memory: RowMemory, pin: RowPin?, _ general: PLOTDomain,
    _ segments: [Segment]
  ) -> PLOTRows {
    for i in found.indices where found[i].missing >= 0 {
      found[i].row = NGramRow(
        address: memory.address + UInt(Int(found[i].missing) * format.stride),
        type: format.type.elementType)
    }
    var rows: [NGramRow] = []
    rows.reserveCapacity(numbers.count)
    var levels: [PLOTLevel] = []
    levels.reserveCapacity(numbers.count)
    for number in numbers {
      rows.append(found[Int(number)].row)
      levels.append(found[Int(number)].level)
    }
    var files = general.files
    for segment in segments where segment.domain.number != 0 { files += segment.domain.files }
    return PLOTRows(
      rows: rows, levels: levels, computedNGrams: missing.count,
      owners: PLOTRows.Owners(files: files, pin: pin, cache: store.cache, computed: memory))
  }
}

extension [NGramLookup.Segment] {
  fileprivate func domain(_ number: UInt32) -> PLOTDomain? {
    first { $0.domain.number == number }?.domain
  }
}
