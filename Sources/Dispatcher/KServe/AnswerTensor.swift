/// A tensor that is answered, a row a text: made when it is written.
struct AnswerTensor: Sendable {
  enum Rows: Sendable {
    case numbers(width: Int, @Sendable (Int) -> [Float])
    case texts(@Sendable (Int) -> String)
  }

  let name: String
  let rows: Rows

  var datatype: String { if case .numbers = rows { "FP32" } else { "BYTES" } }

  func shape(_ count: Int) -> [Int] {
    if case .numbers(let width, _) = rows { [count, width] } else { [count] }
  }

  /// A row as values of a JSON list.
  func write(_ row: Int, to list: inout JSONWriter) {
    switch rows {
    case .numbers(_, let values): for value in values(row) { list.number(value) }
    case .texts(let text): list.string(text(row))
    }
  }

  /// A row as Triton's clients read it: little-endian, a text behind its length.
  func append(_ row: Int, to bytes: inout [UInt8]) {
    func add(_ bits: UInt32) {
      for shift in [0, 8, 16, 24] as [UInt32] {
        bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
      }
    }
    switch rows {
    case .numbers(_, let values): for value in values(row) { add(value.bitPattern) }
    case .texts(let text):
      let letters = Array(text(row).utf8)
      add(UInt32(truncatingIfNeeded: letters.count))
      bytes += letters
    }
  }
}

/// An answer of the Open Inference Protocol: what is asked for of a vBERT's outputs.
struct InferAnswer: Sendable {
  let vbert: String
  let version: Int
  let id: String?
  /// Rows of each output.
  let count: Int
  let tensors: [(tensor: AnswerTensor, isBinary: Bool)]

  /// All in JSON, written row by row.
  var pieces: JSONItems {
    JSONItems(
      tensors.count * count,
      opening: { writer in
        writer.open("{")
        head(&writer)
        writer.key("outputs")
        writer.open("[")
      },
      closing: { writer in
        writer.close("]")
        writer.close("}")
        writer.close("]")
        writer.close("}")
      }
    ) { place, writer in
      let (tensor, row) = (tensors[place / count].tensor, place % count)
      if row == 0 {
        if place > 0 {
          writer.close("]")
          writer.close("}")
        }
        writer.open("{")
        describe(tensor, &writer)
        writer.key("data")
        writer.open("[")
      }
      tensor.write(row, to: &writer)
    }
  }

  /// JSON, and the bytes of those that are asked for as bytes.
  func binary() -> (json: JSONWriter, bytes: [UInt8]) {
    var (writer, bytes) = (JSONWriter(), [UInt8]())
    writer.object { object in
      head(&object)
      object.key("outputs")
      object.array { list in
        for (tensor, isBinary) in tensors {
          let begin = bytes.count
          if isBinary { for row in 0..<count { tensor.append(row, to: &bytes) } }
          list.object { item in
            describe(tensor, &item)
            guard isBinary else {
              item.key("data")
              return item.array { data in
                for row in 0..<count { tensor.write(row, to: &data) }
              }
            }
            item.key("parameters")
            item.object { $0.member("binary_data_size", bytes.count - begin) }
          }
        }
      }
    }
    return (writer, bytes)
  }

  private func head(_ writer: inout JSONWriter) {
    writer.member("model_name", vbert)
    writer.member("model_version", String(version))
    if let id { writer.member("id", id) }
  }

  private func describe(_ tensor: AnswerTensor, _ writer: inout JSONWriter) {
    writer.member("name", tensor.name)
    writer.member("datatype", tensor.datatype)
    writer.key("shape")
    writer.array { shape in for side in tensor.shape(count) { shape.number(side) } }
  }
}
