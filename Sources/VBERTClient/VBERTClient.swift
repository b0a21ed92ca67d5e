internal import Foundation

/// A vbert server, asked over HTTP.
///
/// ```swift
/// let client = try VBERTClient(url: "http://localhost:8080", key: "vb_...")
/// let labels = try await client.predict("reviews", ["A fine film."])
/// let file = try await client.upload("train.jsonl")
/// let job = try await client.fineTune(.init(model: "minilm-skip2", trainingFile: file.id, suffix: "mood"))
/// for try await event in client.events(of: job.id) { print(event.message) }
/// ```
///
/// Any task may call, several at once. A server that says to come back (429 or 503 with Retry-After) is asked
/// again after so long, `retries` times; a request that may have been answered is never sent twice. Everything
/// throws `VBERTClientError`, and `CancellationError` where the task is cancelled.
public struct VBERTClient: Sendable {
  /// How often a request is sent again that the server did not take.
  public var retries = 3
  /// Seconds that an answer may take to begin and, piece by piece, to go on.
  public var timeout = 60.0
  let transport: Transport
  let key: String?

  /// `url` is `http://host:port`, with a path where the server stands behind one. Without a `key` an open server
  /// answers. Throws `VBERTClientError.url`: `https` among others, which a proxy on this machine may speak.
  public init(url: String, key: String? = nil) throws {
    guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty,
      parts.query == nil, parts.fragment == nil, parts.user == nil
    else { throw VBERTClientError.url(url, why: "http://HOST:PORT was expected") }
    guard parts.scheme == "http" else {
      throw VBERTClientError.url(
        url, why: "only http is spoken here; for https, forward a port of this machine to it")
    }
    let path = parts.percentEncodedPath
    transport = Transport(
      host: host, port: parts.port ?? 80,
      prefix: path.hasSuffix("/") ? String(path.dropLast()) : path)
    self.key = key
  }
}

/// What can go wrong between a client and its server.
public enum VBERTClientError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No server's address.
  case url(String, why: String)
  /// No server there, or it hung up.
  case connection(String)
  /// The server's answer is an error: its status and its words; seconds after which it may be asked again.
  case status(Int, String, retryAfter: Int?)
  /// Nothing, or no more, for so many seconds.
  case timedOut(Double)
  /// Not what such a server says.
  case answer(String)
  /// A file of this machine's.
  case file(String)

  /// In words for people.
  public var description: String {
    switch self {
    case .url(let url, let why): "\(url) is no server's address: \(why)"
    case .connection(let why): "the server cannot be reached: \(why)"
    case .status(_, let words, _): words
    case .timedOut(let seconds): "the server has said nothing for \(Int(seconds)) s"
    case .answer(let why): "the server's answer cannot be read: \(why)"
    case .file(let why): why
    }
  }
}
