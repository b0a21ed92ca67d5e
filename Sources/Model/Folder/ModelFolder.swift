package import Compute
internal import Foundation

/// A Hugging Face folder, judged file by file and member by member: what changes an answer is either in
/// `configuration` and the defaults here, or is read from the same files by `WordPiece`, or refused by
/// its name. docs/formats.md has the table.
package struct ModelFolder {
  package let configuration: Configuration
  /// How a folder of sentence-transformers says that token states become one; nil where none says it.
  package let pooling: Pooling?
  /// Longest input in tokens that it was made for; nil where the folder does not say.
  package let maxLength: Int?

  /// `files` lie beside config.json; `root` is where modules.json lies, which may be a folder above, and
  /// `place` the former as seen from the latter: "" or "0_Transformer".
  ///
  /// Throws `FolderProblem`, `ConfigurationError`, `WordPieceError`, and what reading throws.
  package init(files: FolderFiles, root: FolderFiles, place: String) throws {
    guard let json = try files.read("config.json") else {
      throw FolderProblem.refusedFile(file: "config.json", why: "it is missing")
    }
    configuration = try Configuration(json: Data(json))
    if files.names.contains("adapter_config.json") {
      throw FolderProblem.refusedFile(
        file: "adapter_config.json",
        why: "an adapter lies beside the model and would not be used; merge it into the model "
          + "(PEFT: merge_and_unload), or take its files away")
    }
    let tokens = try FolderTokens(files, configuration)
    let modules = try SentenceModules(root, place: place, width: configuration.hiddenSize)
    let sentence = try SentenceSettings(files, lowercase: tokens.options.lowercase)
    pooling = modules.pooling
    let most = configuration.maxPositions
    maxLength = (sentence.maxLength ?? tokens.maxLength).map { min($0, most) }
  }
}
