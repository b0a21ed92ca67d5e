package import Files
internal import Foundation
internal import Glibc
package import Model

/// What can go wrong with a PLOT. A file's lies are found when it is opened; a damaged row is not an
/// error but a miss: it is computed anew.
package enum PLOTError: Error, Equatable, CustomStringConvertible {
  /// It cannot be read or written at all.
  case file(FileError)
  /// The file is not what its header says, or its header is no PLOT header.
  case corrupt(path: String, what: String)
  case version(path: String, found: UInt32)
  /// Made from other weights, the base's or the domain's own: its rows would be silently wrong.
  case otherBase(path: String, found: String, expected: String)
  case unknownDomain(String, path: String)
  /// Given up: its n-grams are computed from now on.
  case lost(path: String, what: String)
  /// Some rows: computed.
  case damagedRows(path: String)
  /// A domain's table was given up, and the base's local layers cannot compute its rows.
  case lostDomain(String)
  case domainName(String)
  /// Of a base that computes all its layers.
  case denseDomain(String, base: String)
  case rowType(String)
  /// A setting outside what is possible.
  case setting(name: String, value: Int, range: ClosedRange<Int>)
  /// A computed row that the table's format cannot hold.
  case rowTooLarge(NGram, PLOTRowType)
  /// A corpus without one token.
  case noText(paths: [String])
  /// A list of n-grams with a line that is none.
  case list(path: String, line: Int)
  /// A list that has padding where there is no token.
  case oldList(path: String, line: Int, padding: String)

  package var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .corrupt(let path, let what):
      "\(path) is damaged: \(what); build it again with `vbert plot build`"
    case .version(let path, let found):
      """
      \(path) has PLOT version \(found), this program reads \(PLOTHeader.version); build it anew, \
      from its corpus with `vbert plot build --corpus`, or from a list with `--ngrams`
      """
    case .otherBase(let path, let found, let expected)
    where found.prefix(while: { $0 != "+" }) == expected.prefix(while: { $0 != "+" }):
      """
      \(path) was built with other local layers than its domain has now (\(found), not \(expected)); \
      build it again with `vbert plot build --domain`
      """
    case .otherBase(let path, let found, let expected):
      """
      \(path) was built from a base with content hash \(found), but this base has \(expected); \
      build it again with `vbert plot build`
      """
    case .unknownDomain(let name, let path):
      "there is no domain \"\(name)\": \(path) does not exist; `vbert plot build --domain` makes it"
    case .lost(let path, let what):
      """
      \(path) is not used any more: \(what); its n-grams are computed, which takes longer. \
      Look with `vbert plot verify`, build it again with `vbert plot build`, and start again
      """
    case .damagedRows(let path):
      """
      \(path) has damaged rows; they are computed, which takes longer. Look with \
      `vbert plot verify`, and build it again with `vbert plot build`
      """
    case .lostDomain(let name):
      """
      the table of the domain "\(name)" is damaged or being written to, and only its own local layers \
      could compute what it had; build it again with `vbert plot build --domain`, and start again
      """
    case .domainName(let name):
      """
      "\(name)" cannot name a domain: use 1 to 64 of a-z, 0-9, - and _, but not "general" \
      or "admitted"
      """
    case .denseDomain(let name, let base):
      """
      the base \(base) computes all its layers and reads no table, so the domain "\(name)" would change \
      nothing; leave --domain out, or give a skip base
      """
    case .rowType(let text): "row type \"\(text)\" is not known; use fp16, int8 or float32"
    case .setting(let name, let value, let range):
      "\(name) is \(value), outside \(range.lowerBound)...\(range.upperBound)"
    case .noText(let paths):
      "\(paths.joined(separator: ", ")) holds no text; give a file with one text a line"
    case .rowTooLarge(let gram, let type):
      """
      the row of the n-gram (\(gram.left), \(gram.centre), \(gram.right)) has values that \(type.name) cannot \
      hold; verify the base with `vbert base verify`, or build with --type float32
      """
    case .oldList(let path, let line, let padding):
      """
      \(path), line \(line): \(padding) is in no text; where there is no token write - \
      (and the token - as \\-), or make the list anew with `vbert plot ngrams`
      """
    case .list(let path, let line):
      """
      \(path), line \(line): not three tokens of this base's vocabulary; \
      make the list with `vbert plot ngrams`
      """
    }
  }
}

extension PLOTError {
  /// There is no such file.
  var isAbsence: Bool {
    if case .file(.refused(_, _, ENOENT)) = self { true } else { false }
  }

  /// What is said where a table that cannot be opened is computed instead. Throws itself where the file is
  /// sound and another base's, or of another version.
  func asLoss(of url: URL) throws(PLOTError) -> PLOTError {
    switch self {
    case .corrupt(_, let what):
      return .lost(path: url.filePath, what: "it is damaged, \(what)")
    // What others hold may be free in a moment: worth another try.
    case .file(.refused(_, _, EMFILE)), .file(.refused(_, _, ENFILE)),
      .file(.refused(_, _, ENOMEM)):
      throw self
    case .file(let error):
      return .lost(path: url.filePath, what: "it cannot be read, \(error.reason)")
    default: throw self
    }
  }
}
