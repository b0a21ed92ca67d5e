import Foundation

/// Runs the encoder on given token ids, one command a line from stdin, one line of JSON each; the
/// commands of Benchmarks/peer_onnx.py, and `skip A V`: the batches from n-gram rows on with k = 2,
/// A different vBERTs in every batch, V in rotation. Started and asked by Benchmarks/encoder.py.
let arguments = CommandLine.arguments
guard arguments.count == 4, let threads = Int(arguments[3]) else {
  FileHandle.standardError.write(Data("usage: EncoderBenchmark MODEL_DIR IDS.JSON THREADS\n".utf8))
  exit(2)
}
let work = try JSONDecoder().decode(
  Work.self, from: Data(contentsOf: URL(filePath: arguments[2])))
let run = try Run(model: URL(filePath: arguments[1]), work: work, threads: threads)

func answer(_ value: [String: Any]) throws {
  let json = try JSONSerialization.data(withJSONObject: value)
  FileHandle.standardOutput.write(json + Data("\n".utf8))
}

try answer(["ready": run.name])
while let line = readLine() {
  let words = line.split(separator: " ").map(String.init)
  let numbers = words.dropFirst().compactMap(Int.init)
  switch (words.first, numbers.count) {
  case ("batches", 0): try answer(["seconds": run.dense(), "tokens": run.tokens])
  case ("single", 1): try answer(["milliseconds": (0..<numbers[0]).map { _ in try run.single() }])
  case ("first", 0): try answer(["embedding": run.first()])
  case ("skip", 2):
    try answer(["seconds": run.skip(each: numbers[0], of: numbers[1]), "tokens": run.tokens])
  default: try answer(["error": "unknown command \(line)"])
  }
}
