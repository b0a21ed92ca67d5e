import Foundation

/// Training data in the words of `TinyCheckpoint`, simple enough to be learnt in seconds.
enum TinyData {
  /// Texts about a colour or a temperature word decide the label.
  static var classify: [[String: Any]] {
    rows { animal, verb in
      [
        ["text": "the red \(animal) \(verb)", "label": "colour"],
        ["text": "a blue \(animal) \(verb)", "label": "colour"],
        ["text": "the warm \(animal) \(verb)", "label": "heat"],
        ["text": "a cold \(animal) \(verb)", "label": "heat"],
      ]
    }
  }

  static var multilabel: [[String: Any]] {
    rows { animal, verb in
      [
        ["text": "the red \(animal) \(verb)", "labels": ["colour"]],
        ["text": "the warm \(animal) \(verb)", "labels": ["heat"]],
        ["text": "the red warm \(animal) \(verb)", "labels": ["colour", "heat"]],
        ["text": "the \(animal) \(verb)", "labels": [String]()],
      ]
    }
  }

  static var tag: [[String: Any]] {
    ["paris", "oslo", "rome"].flatMap { city in
      rows { animal, verb in
        [
          [
            "tokens": ["the", animal, verb, "in", city, "."],
            "tags": ["O", "B-animal", "O", "O", "B-city", "O"],
          ],
          [
            "tokens": ["in", city, "a", animal, verb],
            "tags": ["O", "B-city", "O", "B-animal", "O"],
          ],
        ]
      }
    }
  }

  static var score: [[String: Any]] {
    rows { animal, verb in
      [
        ["text": "the \(animal) \(verb)", "text_pair": "a \(animal) \(verb) fast", "score": 1.0],
        ["text": "the \(animal) \(verb)", "text_pair": "one two three", "score": 0.0],
      ]
    }
  }

  private static func rows(_ make: (String, String) -> [[String: Any]]) -> [[String: Any]] {
    ["cat", "dog", "bird"].flatMap { animal in
      ["runs", "sleeps", "sings"].flatMap { make(animal, $0) }
    }
  }

  /// Writes rows as JSONL and returns the path.
  static func write(_ rows: [[String: Any]], _ name: String, in folder: URL) throws -> String {
    let file = folder.appending(path: "\(name).jsonl")
    let lines = try rows.map {
      String(
        decoding: try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys),
        as: UTF8.self)
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
    return file.path()
  }
}
