import Compute
import Model

/// A made-up fp16 row for every n-gram of the batches, as a warm PLOT would hold them: each distinct
/// n-gram has its own place in memory.
@safe final class StoredRows {
  private(set) var batches: [[NGramRow]] = []
  private let memory: UnsafeMutableBufferPointer<Float16>

  init(grams: [[NGram]], hidden: Int) {
    var places: [NGram: Int] = [:]
    for gram in grams.joined() where places[gram] == nil { places[gram] = places.count }
    let width = 3 * hidden
    unsafe memory = .allocate(capacity: max(1, places.count * width))
    for i in unsafe memory.indices { unsafe memory[i] = Float16(i % 1009) / 1009 - 0.5 }
    let start = unsafe UInt(bitPattern: memory.baseAddress)
    batches = grams.map { batch in
      batch.map { gram in
        places[gram].map { NGramRow(address: start + UInt($0 * width * 2), type: .float16) }
          ?? .zero
      }
    }
  }

  deinit { unsafe memory.deallocate() }
}
