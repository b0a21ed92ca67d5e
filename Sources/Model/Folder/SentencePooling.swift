internal import Compute

/// 1_Pooling/config.json: how token states become one. Done are mean and cls, alone.
enum SentencePooling {
  private static let prefix: String = "pooling_mode_"

  /// nil where the file is missing, or says nothing. Throws `FolderProblem`, and what reading throws.
  static func read(_ root: FolderFiles, _ folder: String, width: Int) throws -> Pooling? {
    guard let file = try root.object(folder.isEmpty ? "config.json" : folder + "/config.json")
    else {
      return nil
    }
    for member in ["word_embedding_dimension", "embedding_dimension"] {
      if let found = try file.whole(member), found != width {
        throw file.refused(member, "the encoder's states have \(width)")
      }
    }
    if try file.flag("include_prompt") == false, try hasPrompts(root) {
      throw file.refused(
        "include_prompt",
        "tokens of a prompt are not left out of the mean here; take the prompts out of "
          + "config_sentence_transformers.json where they are not used")
    }
    guard let (member, modes) = try modes(file) else { return nil }
    guard modes.count == 1 else {
      throw file.refused(
        member,
        "\(modes.joined(separator: " and ")) side by side are not computed; done are mean, cls")
    }
    switch modes[0] {
    case "mean", "mean_tokens": return .mean
    case "cls", "cls_token": return .cls
    default: throw file.refused(member, "only mean and cls are computed here")
    }
  }

  /// The member that says it, and what: in the newer form one name or a list, in the older one a flag a
  /// way. All flags false mean what none means to the library: the mean.
  private static func modes(
    _ file: FileObject
  ) throws(FolderProblem) -> (member: String, modes: [String])? {
    let newer = "pooling_mode"
    if let value = file[newer] {
      if let mode = value.text { return (newer, [mode]) }
      guard let modes = try file.texts(newer), !modes.isEmpty else {
        throw file.wrongKind(newer, "a name")
      }
      return (newer, modes)
    }
    var (said, modes): (String?, [String]) = (nil, [])
    for member in file.members where member.name.hasPrefix(prefix) {
      guard let isOn = try file.flag(member.name) else { continue }
      if isOn { modes.append(String(member.name.dropFirst(prefix.count))) }
      if isOn || said == nil { said = member.name }
    }
    return said.map { ($0, modes.isEmpty ? ["mean"] : modes) }
  }

  private static func hasPrompts(_ root: FolderFiles) throws -> Bool {
    let settings = try root.object("config_sentence_transformers.json")
    return try settings?.object("prompts")?.members.contains { member in
      member.value.text?.isEmpty == false
    } ?? false
  }
}
