import Files
import Foundation
import Manager
import Model
import Trainer

/// The list of `vbert train --many`: a vBERT and its data a line; what a line leaves out is as the command
/// line says.
struct TrainingList {
  private struct Line: Decodable {
    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, data, dev, effort, epochs, lr, batch, seed, patience, limit
    }

    var name: VBertName
    var data: String
    var dev: String?
    var effort: Effort?
    var epochs: Int?
    var lr: Float?
    var batch: Int?
    var seed: UInt64?
    var patience: Int?
    var limit: Int?

    /// What the line says, else what the command line says.
    func wish(_ all: TrainingWish) -> TrainingWish {
      if let effort { return .effort(effort) }
      return epochs ?? batch ?? patience == nil ? all : .byEpochs
    }

    var contradicts: Bool { effort != nil && epochs ?? batch ?? patience != nil }
  }

  /// Above so many, effort is quick unless somebody says otherwise.
  private static let few = 20

  let requests: [TrainingRequest]

  /// Of a file, plain or gzip. Throws `TrainingListError`, and what reading throws, where a line cannot be
  /// read or a name is there twice; a value out of range is its request's `problem`.
  init(
    _ path: String, options: TrainingOptions, rate: Float?, wish: TrainingWish = .effort(nil),
    steps: Int? = nil, limit: Int?, startsAnew: Bool
  ) throws {
    let reader = try LineReader(path: path)
    var (requests, names): ([TrainingRequest], Set<VBertName>) = ([], [])
    while let line = try reader.next() {
      if line.isBlank { continue }
      let found: Line
      func wrong(_ why: String) -> TrainingListError {
        .line(path: path, number: line.number, why: why)
      }
      do { found = try decodeJSON(Line.self, from: line.bytes) } catch { throw wrong(words(error)) }
      // A misspelt one would train otherwise than was meant, silently.
      if let stranger = try JSONValue(line.bytes).members?.first(where: {
        Line.CodingKeys(rawValue: $0.name) == nil && $0.value.kind != .null
      }) {
        throw wrong("\"\(stranger.name.prefix(40))\" is no member of a line")
      }
      if found.effort == .quick, found.lr != nil {
        throw wrong("effort quick tunes nothing: leave lr out, or write full")
      }
      if found.contradicts {
        throw wrong("effort does not go by epochs: leave out epochs, batch and patience, or effort")
      }
      guard names.insert(found.name).inserted else { throw TrainingListError.twice(found.name) }
      var own = options
      own.epochs = found.epochs ?? own.epochs
      own.batch = found.batch ?? own.batch
      own.seed = found.seed ?? own.seed
      own.patience = found.patience ?? own.patience
      own.rate = found.lr ?? rate ?? own.rate
      let mixes = found.effort != nil && wish == .byEpochs
      let problem = (mixes ? .effortAndEpochs : Self.problem(own, limit: found.limit)).map {
        TrainingListError.option(path: path, number: line.number, $0)
      }
      requests.append(
        TrainingRequest(
          name: found.name, data: found.data, dev: found.dev, limit: found.limit ?? limit,
          options: own, rate: found.lr ?? rate, wish: found.wish(wish), steps: steps,
          startsAnew: startsAnew, problem: problem))
    }
    guard !requests.isEmpty else { throw TrainingListError.empty(path: path) }
    self.requests = requests.map { request in
      // Who says how an adapter is tuned wants one.
      guard requests.count > Self.few, request.wish == .effort(nil), request.rate == nil,
        request.steps == nil
      else { return request }
      var request = request
      request.wish = .quickly
      return request
    }
  }

  /// An option out of range concerns its line alone.
  private static func problem(_ options: TrainingOptions, limit: Int?) -> TrainingOptionProblem? {
    guard limit ?? 1 >= 1 else { return .outside("limit", "1 or more") }
    do { try options.check() } catch { return error }
    return nil
  }
}

/// What can be wrong with a list of vBERTs to train.
enum TrainingListError: Error, CustomStringConvertible {
  case line(path: String, number: Int, why: String)
  case empty(path: String)
  case twice(VBertName)
  case option(path: String, number: Int, TrainingOptionProblem)

  var description: String {
    switch self {
    case .line(let path, let number, let why):
      "\(path), line \(number): \(why); write {\"name\": ..., \"data\": ...} and, if you want, dev, effort, "
        + "epochs, lr, batch, seed, patience, limit"
    case .empty(let path): "\(path) names no vBERT; write one {\"name\": ..., \"data\": ...} a line"
    case .twice(let name): "\(name) is in the list twice; give each vBERT one line"
    case .option(let path, let number, let problem): "\(path), line \(number): \(problem)"
    }
  }
}
