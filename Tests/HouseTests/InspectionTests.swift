import Testing

/// The inspection of made-up houses: each fault is found, and named.
@Suite struct InspectionTests {
  private let house = Inspection(
    rooms: [
      Room("Low"), Room("High", knows: ["Low"], packages: ["SQL"]),
      Room("High", shelf: "Serve", knows: ["Low"], packages: ["HTTP"]),
      Room(test: "HighTests", knows: ["High"], runs: ["Low"]),
    ], toolchain: ["Foundation"])
  private let sound: [String: Set<String>] = [
    "Sources/Low/a.swift": ["Foundation"], "Sources/High/a.swift": ["Low", "SQL"],
    "Sources/High/Shelf/b.swift": [], "Sources/High/Serve/c.swift": ["Low", "HTTP"],
    "Tests/HighTests/t.swift": ["High", "Foundation"],
  ]

  private func faults(_ path: String, _ modules: Set<String>) -> [String] {
    house.faults(imports: sound.merging([path: modules]) { $1 })
  }

  @Test func aSoundHouseHasNoFaults() {
    #expect(house.arrowsUp == [] && house.faults(imports: sound) == [])
    #expect(house.faults(folders: ["Sources/Low", "Sources/High", "Tests/HighTests"]) == [])
  }

  @Test func importsThatMayNotBeAreNamed() {
    #expect(
      faults("Sources/Low/b.swift", ["High"])
        == ["Sources/Low/b.swift imports High, which Low may not know"])
    #expect(
      faults("Sources/Low/b.swift", ["SQL"])
        == ["Sources/Low/b.swift imports SQL, which Low may not know"])
    #expect(
      faults("Sources/High/Shelf/b.swift", ["HTTP"])
        == ["Sources/High/Shelf/b.swift imports HTTP, which High may not know"])
    #expect(
      faults("Sources/High/Serve/d.swift", ["SQL"])
        == ["Sources/High/Serve/d.swift imports SQL, which High/Serve may not know"])
    #expect(
      faults("Sources/Highest/a.swift", []) == [
        "Sources/Highest/a.swift lies in no room of the list"
      ]
    )
  }

  @Test func whatNothingImportsIsNamed() {
    #expect(
      faults("Sources/High/a.swift", ["Low"])
        == ["the list lets High know SQL, which nothing there imports"])
    #expect(
      faults("Tests/HighTests/t.swift", [])
        == ["the list lets HighTests know High, which nothing there imports"])
  }

  @Test func arrowsUpAreNamed() {
    let crooked = Inspection(
      rooms: [
        Room("Low", knows: ["High"]), Room("Low2", knows: ["Low2"]), Room("High", knows: ["Lo"]),
      ], toolchain: [])
    #expect(
      crooked.arrowsUp == [
        "the list lets Low know High, which stands above it",
        "the list lets Low2 know Low2, which stands above it",
        "the list lets High know Lo, which is no room",
      ])
    #expect(house.faults(folders: ["Sources/New"]) == ["Sources/New is no room of the list"])
  }

  private let package = """
    // room("Not", ["a comment"]),
    let sql = Target.Dependency.product(name: "SQL", package: "sql.swift")
    let http = Target.Dependency.product(
      name: "HTTP", package: "http")
    let line: [Target.Dependency] = [
      "Low", sql,
    ]
    targets = [
      room("Low", []),
      .executableTarget(name: "High", dependencies: line, exclude: ["Serve"], swiftSettings: strict),
      .executableTarget(
        name: "High", dependencies: line + [http], linkerSettings: [.linkedLibrary("dl")]),
      tests("HighTests", ["High", "Low"]),
      .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    ]
    """

  @Test func theManifestIsRead() throws {
    #expect(
      try Manifest(package).declarations() == [
        Declaration(target: "Low", edges: [], excluded: []),
        Declaration(target: "High", edges: ["Low", "SQL"], excluded: ["Serve"]),
        Declaration(target: "High", edges: ["Low", "SQL", "HTTP"], excluded: []),
        Declaration(target: "HighTests", edges: ["High", "Low", "TestSupport"], excluded: []),
        Declaration(target: "TestSupport", edges: [], excluded: []),
      ])
    #expect(throws: Manifest.Unreadable.name("other")) {
      try Manifest(#"room("A", [other])"#).declarations()
    }
    #expect(throws: Manifest.Unreadable.name("others")) {
      try Manifest(#"room("A", others + ["B"])"#).declarations()
    }
  }

  @Test func edgesAreHeldBothWays() throws {
    let rooms = Inspection(
      rooms: house.rooms.dropLast() + [
        Room(test: "TestSupport"),
        Room(test: "HighTests", knows: ["TestSupport", "High"], runs: ["Low"]),
      ], toolchain: [])
    func faults(_ old: String, _ new: String) throws -> [String] {
      try #require(package.contains(old))
      return rooms.faults(
        manifest: try Manifest(package.replacing(old, with: new, maxReplacements: 1))
          .declarations())
    }
    #expect(try faults("room", "room") == [])
    #expect(
      try faults(#"room("Low", [])"#, #"room("Low", ["High"])"#)
        == ["Package.swift: Low depends on High and does not import it"])
    #expect(
      try faults("line + [http]", "line") == [
        "Package.swift: High imports HTTP and does not depend on it"
      ])
    #expect(
      try faults("dependencies: line, ", "dependencies: line + [http], ")
        == ["Package.swift: High depends on HTTP and does not import it"])
    #expect(
      try faults(#"["High", "Low"]"#, #"["High"]"#)
        == ["Package.swift: HighTests imports Low and does not depend on it"])
    #expect(
      try faults(#"room("Low", []),"#, #"room("Low", []), room("New", []),"#)
        == ["Package.swift has New, which is no room of the list"])
    #expect(
      try faults(#"room("Low", []),"#, "") == ["Package.swift does not build Low"])
  }

  @Test(arguments: [
    ("import A", ["A"]), ("  import A\nimport B // why\r\nimport C /* why */", ["A", "B", "C"]),
    ("@testable import A; import B", ["A", "B"]), ("internal import A", ["A"]),
    ("@_spi(X) @preconcurrency package import struct A.B", ["A"]), ("import func A.b", ["A"]),
    ("// import A", []), ("let x = \"import A\"", []), ("  import that base again, or", []),
    ("/// import A", []), ("reimport A", []), ("importA", []), ("", []),
    ("#if X\nprivate import A\n#endif", ["A"]), ("public  import\tA", ["A"]),
  ])
  func importsAreRead(_ source: String, _ modules: [String]) {
    #expect(imports(of: source) == Set(modules))
  }
}
