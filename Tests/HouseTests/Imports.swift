/// The modules that a Swift source imports, whatever stands before the word and behind the name.
func imports(of source: String) -> Set<String> {
  let statement =
    #/(?:^|;)\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:typealias|struct|class|actor|enum|protocol|let|var|func)\s+)?(?<module>\w+)(?:\.\w+)*\s*(?=;|$|\/\/|\/\*)/#
    .anchorsMatchLineEndings()
  return Set(
    source.split(whereSeparator: \.isNewline).filter { $0.contains("import") }
      .flatMap { line in line.matches(of: statement).map { String($0.output.module) } })
}
