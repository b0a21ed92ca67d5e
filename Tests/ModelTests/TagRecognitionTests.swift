import Foundation
import Model
import TestSupport
import Testing

/// From a file's tags to their scheme.
@Suite struct TagRecognitionTests {
  /// Rows with a space between tags.
  static func rows(_ list: [String]) -> [TaggedRow] {
    list.enumerated().map {
      TaggedRow(line: $0 + 1, tags: $1.split(separator: " ").map(String.init))
    }
  }

  @Test(arguments: [
    (["B-PER I-PER O B-LOC"], "bio"), (["B-PER O"], "bio"), (["O", "B-A"], "bio"),
    // Slips: read the same way.
    (["B-PER I-PER O", "I-PER O B-LOC"], "bio"),
    (["I-PER I-PER O"], "iob1"), (["I-PER B-PER O"], "iob1"),
    (["I-A B-A I-A", "O I-B I-A"], "iob1"),
    (["B-PER I-PER O S-LOC"], "bios"), (["I-PER E-PER O E-LOC"], "ioe"),
    (["B-PER E-PER O", "S-LOC O"], "bioes"), (["S-PER O", "O S-LOC"], "bioes"),
    (["B-A I-A I-A E-A"], "bioes"),
    (["B-PER I-PER L-PER O U-LOC"], "bilou"), (["U-PER O"], "bilou"), (["B-A L-A"], "bilou"),
    (["B-PER M-PER E-PER S-LOC O"], "bmes"), (["B-PER M-PER E-PER W-LOC O"], "bmew"),
    // Forms.
    (["B_PER I_PER O"], "bio:X_TYPE"), (["PER-B PER-I O"], "bio:TYPE-X"),
    (["PER_B PER_E LOC_S"], "bioes:TYPE_X"), (["b-per i-per o"], "bio:x-TYPE"),
    (["b-per e-per O s-loc"], "bioes:x-TYPE"), (["per_b per_l per_u"], "bilou:TYPE_x"),
    (["B I O", "O B B"], "bio:X"), (["B O"], "bio:X"), (["I I O"], "iob1:X"), (["b i o"], "bio:x"),
    (["B M E S", "S B E"], "bmes:X"), (["B E S O"], "bioes:X"),
    // Types with hyphens, and types that look like marks.
    (["B-LOC-CITY I-LOC-CITY O"], "bio"), (["LOC-CITY-B LOC-CITY-I O"], "bio:TYPE-X"),
    (["B-S I-S O"], "bio"), (["S-B S-I O"], "bio:TYPE-X"), (["I-PER-B I-PER-I O"], "bio:TYPE-X"),
    (["B-B I-B O B-I"], "bio"), (["B-E I-E B-S O"], "bio"), (["B-cell_type I-cell_type O"], "bio"),
    // Types alone.
    (["PER PER O LOC"], "plain"), (["A B O S"], "plain"), (["S O S S"], "plain"),
    (["O O"], "plain"),
    (["W-A O", "O W-B"], "bmew"), (["W-2 O"], "plain"), (["Begin-Date End-Date O"], "plain"),
    (["E-MAIL O PER E-MAIL"], "plain"), (["T-SHIRT O"], "plain"), (["VITAMIN-B PER O"], "plain"),
    (["NOUN VERB", "DET NOUN"], "units"), (["n v o", "a n m"], "units"), (["NN NNP-S ,"], "units"),
    (["S V A", "S-PRO A-PRO"], "units"), (["N"], "units"),
  ])
  func schemeIsRecognised(_ list: [String], _ scheme: String) throws {
    #expect(try TagScheme(of: Self.rows(list)).text == scheme)
  }

  @Test func fuzzedFilesAreRecognised() throws {
    try Fuzz.run { random, seed in
      for scheme in TagSchemeTests.schemes {
        let file = TaggedText.file(of: scheme, rows: 4, using: &random)
        let rows = file.enumerated().map { TaggedRow(line: $0 + 1, tags: $1.tags) }
        let found = try TagScheme(of: rows)
        #expect(found == scheme, "seed \(seed): \(file.map(\.tags))")
        // The labels alone say as much, but for what is read the same way, and O among plain types.
        let told = TagScheme(labels: ["O"] + Set(file.flatMap(\.tags)).subtracting(["O"]).sorted())
        for (spans, tags) in file where scheme.kind != .units {
          #expect(told.spans(of: tags) == spans, "seed \(seed): \(told) \(tags)")
        }
      }
    }
  }

  /// The lines that are wrong, and a part of what is said of the first.
  @Test(arguments: [
    // The case of the issue: BIOES, in line 4 a bare and an I- tag.
    (
      ["B-PER E-PER O S-LOC", "S-PER B-LOC E-LOC", "S-LOC B-A E-A O", "LOC O I-LOC"], [4],
      "\"LOC\" of word 1 is none of BIOES; 3 rows are BIOES"
    ),
    (["B-PER I-PER O", "B-LOC O", "O PER"], [3], "\"PER\" of word 2 is none of BIO;"),
    (
      ["B-PER I-PER O", "B-PER O", "S-PER O B-LOC E-LOC"], [3], "\"S-PER\" of word 1 is none of BIO"
    ),
    (["B-A E-A O", "S-A O", "B-A I-A O"], [3], "\"B-A\" of word 1 begins an entity that is not"),
    (["B-A E-A O", "S-A O", "O I-A E-A"], [3], "\"I-A\" of word 2 goes on with an entity"),
    (["B-A E-A O", "S-A O", "B-A E-B"], [3], "\"E-B\" of word 2 goes on"),
    // BIOS would read as many rows, but BIO is likelier.
    (["B-A I-A O", "S-A O", "B-B O"], [2], "\"S-A\" of word 1 is none of BIO;"),
    (["B-A I-A I-A O", "B-A E-A O"], [2], "\"E-A\" of word 2 is none of BIO;"),
    (["B-A L-A O", "U-A O", "O S-A"], [3], "\"S-A\" of word 2 is none of BILOU"),
    (["B-A E-A O", "S-C", "O U-C", "L-C"], [3, 4], "\"U-C\" of word 2 is none of BIOES"),
    (["B-A B_A O", "B-A O"], [1], "\"B_A\" of word 2 is none of BIO"),
    (["B-A O", "B-B", "A-B O"], [3], "\"A-B\" of word 1 is none of BIO"),
    (["B-A O", "B-B", "b-A O"], [3], "\"b-A\" of word 1 is none of BIO"),
    (["PER O", "PER LOC O", "O B-PER I-PER"], [3], "\"B-PER\" of word 2 seems to carry a mark"),
    (["PER O", "PER LOC O", "O S-LOC"], [3], "\"S-LOC\" of word 2 seems to carry a mark"),
    (["PER O", "LOC O", "PER-B PER-I"], [3], "\"PER-B\" of word 1 seems to carry a mark"),
    (["PER O", "LOC O", "E-LOC"], [3], "\"E-LOC\" of word 1 seems to carry a mark"),
    (["NOUN VERB", "DET NOUN", "B-NP I-NP"], [3], "\"B-NP\" of word 1 seems to carry a mark"),
    (["per loc o", "o"], [1, 2], "\"o\" of word 3 seems to stand for O, the"),
    (["B-A I-A 0", "0", "0 0"], [1, 2, 3], "\"0\" of word 3 is none of BIO"),
    (["B-A I-A o", "o"], [1, 2], "\"o\" of word 3 is none of BIO"),
    (["PER 0", "0"], [1, 2], "\"0\" of word 2 seems to stand for O"),
    (["B:PER I:PER O"], [1], "\"B:PER\" of word 1 seems to carry a mark (which is written"),
    (["B I O", "B O", "B-A"], [3], "\"B-A\" of word 1 is none of BIO (as X)"),
    // Marks in forms that are not read are not taken for types, whatever stands between.
    (["B PER|I PER|O", "O|B PER"], [1, 2], "\"B PER\" of word 1 seems to carry a mark"),
    (["B\u{2013}A I\u{2013}A O"], [1], "\"B\u{2013}A\" of word 1 seems to carry a mark"),
    (["A\u{FF0F}B A\u{FF0F}E O"], [1], "of word 1 seems to carry a mark"),
    (["B##A I##A O"], [1], "\"B##A\" of word 1 seems to carry a mark"),
    (["Begin-A Inside-A End-A O", "Single-A"], [1, 2], "\"Begin-A\" of word 1 seems to carry"),
    (["BEGIN_A INSIDE_A O"], [1], "\"BEGIN_A\" of word 1 seems to carry a mark"),
    (["B- I- O", "O"], [1], "\"B-\" of word 1 seems to carry a mark"),
    // The tag that is wrong is named, not the first that BIO does not have.
    (
      ["B-A E-A OUT", "S-A OUT"], [1, 2], "\"OUT\" of word 3 is none of BIOES; no row is all BIOES"
    ),
    (["B-A E-A o", "S-A o"], [1, 2], "\"o\" of word 3 is none of BIOES"),
  ])
  func mixedTagsAreRefusedWithTheirLines(_ list: [String], _ lines: [Int], _ what: String) throws {
    let rows = list.enumerated().map { line, tags in
      let separator: Character = tags.contains("|") ? "|" : " "
      return TaggedRow(line: line + 1, tags: tags.split(separator: separator).map(String.init))
    }
    let problem = try #require(throws: TagProblem.self) { try TagScheme(of: rows) }
    #expect(problem.faults.map(\.line) == lines, "\(problem)")
    #expect("\(problem)".contains(what), "\(problem)")
  }

  /// One row of another scheme among many, wherever it is, whatever the two are.
  @Test func fuzzedStrangersAreFound() throws {
    try Fuzz.run { random, seed in
      for scheme in TagSchemeTests.schemes {
        let other = TagSchemeTests.schemes.randomElement(using: &random) ?? scheme
        guard Self.areTold(scheme, other) else { continue }
        let types = ["PER", "LOC"]
        // Every row of them shows what the scheme is.
        var rows = (0..<5).map { _ in
          TaggedText.file(of: scheme, rows: 1, types: types, using: &random)[0].tags
        }
        let stranger = TaggedText.file(of: other, rows: 1, types: types, using: &random)[0].tags
        let place = Int.random(in: 1...rows.count, using: &random)
        rows.insert(stranger, at: place)
        let problem = try #require(throws: TagProblem.self, "seed \(seed)") {
          try TagScheme(of: rows.enumerated().map { TaggedRow(line: $0 + 1, tags: $1) })
        }
        #expect(problem.faults.map(\.line) == [place + 1], "seed \(seed): \(rows) \(problem)")
      }
    }
  }

  /// Not what both schemes read, and not marks alone, which plain types may be.
  private static func areTold(_ a: TagScheme, _ b: TagScheme) -> Bool {
    guard a.form.place != .alone, b.form.place != .alone else { return false }
    switch (a.kind.hasMarks, b.kind.hasMarks) {
    case (false, false): return false
    case (true, false): return true
    case (false, true): return !b.form.isLowercase && b.form.separator == UInt8(ascii: "-")
    case (true, true):
      let areAlike = [a.kind, b.kind].allSatisfy { [.bio, .iob1].contains($0) }
      return a.form != b.form || a.kind != b.kind && !areAlike
    }
  }

  @Test func manyWrongLinesAreCounted() throws {
    let list = (0..<40).map { _ in "B-A I-A O" } + (0..<12).map { _ in "A O" }
    let problem = try #require(throws: TagProblem.self) { try TagScheme(of: Self.rows(list)) }
    #expect(problem.faults.count == 5 && problem.count == 12 && problem.rows == 40)
    #expect(
      "\(problem)"
        == "the tag \"A\" of word 1 is none of BIO; 40 rows are BIO (also wrong: lines 42, 43, 44, 45 "
        + "and 7 more); write all tags in one scheme")
  }

  @Test(arguments: [
    (["O", "B-PER", "I-PER"], "bio"), (["O", "B-PER", "E-PER", "S-PER"], "bioes"),
    (["O", "B-A", "L-A", "U-A"], "bilou"), (["O", "PER", "LOC"], "plain"), (["N", "V"], "units"),
    (["O", "B-A", "I-A", "S-A"], "bios"), (["O", "A-B", "A-I"], "bio:TYPE-X"),
    // None reads these: as before there were others.
    (["O", "PER", "B-PER"], "bio"),
  ])
  func labelsTell(_ labels: [String], _ scheme: String) {
    #expect(TagScheme(labels: labels).text == scheme)
  }

  @Test func otherFilesAreCheckedAgainstTheScheme() throws {
    func wrong(_ scheme: String, _ labels: [String], _ list: [String]) throws -> [Int] {
      let scheme = try #require(TagScheme(text: scheme))
      do {
        try scheme.check(Self.rows(list), labels: labels)
        return []
      } catch { return error.faults.map(\.line) }
    }
    let bio = ["O", "B-PER", "I-PER"]
    #expect(try wrong("bio", bio, ["I-PER O", "O B-PER", "B-LOC"]) == [])
    #expect(try wrong("bio", bio, ["B-PER E-PER", "O", "S-PER"]) == [1, 3])
    #expect(try wrong("bioes", ["O", "S-A"], ["E-A O", "B-A"]) == [])
    #expect(try wrong("plain", ["O", "PER"], ["PER", "LOC O", "B-PER I-PER"]) == [3])
    #expect(try wrong("units", ["O", "N", "V"], ["N V", "N O"]) == [2])
    // A label of the vBERT always is a tag of it, as those of before may be of any scheme.
    #expect(try wrong("bio", bio + ["PER"], ["PER O B-PER"]) == [])
  }
}
