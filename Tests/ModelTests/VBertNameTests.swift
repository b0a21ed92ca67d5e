import Model
import Testing

@Suite struct VBertNameTests {
  @Test func aNameIsItsTenants() throws {
    let own = try VBertName("mood")
    #expect(own.tenant == .default && own.text == "mood" && own.full == "default/mood")
    let theirs = try VBertName("acme/mood")
    #expect(
      theirs.tenant.text == "acme" && theirs.name.text == "mood" && theirs.text == "acme/mood")
    #expect(try VBertName("mood", of: Name("acme")) == theirs)
    // Who says whose it is means that tenant.
    #expect(try VBertName("default/mood", of: Name("acme")) == own)
    #expect(own != theirs && theirs < own)
    #expect(try VBertName(theirs.text) == theirs && VBertName(own.full) == own)
  }

  @Test(arguments: [
    "", "/", "a/", "/a", "a/b/c", "a//b", "a@1", "a b", "ä", "../a", "a/..", "%2F", "a\0", "a/b\n",
  ]) func whatIsNoNameIsRefused(text: String) {
    #expect(throws: NameError.self) { try VBertName(text) }
  }

  @Test func aVersionIsBehindTheAt() throws {
    let present = try VBertAddress("mood")
    #expect(present.version == nil && present.name.text == "mood")
    let old = try VBertAddress("acme/mood@12")
    #expect(old.version == 12 && old.name.text == "acme/mood")
    for text in [
      "mood@", "mood@0", "mood@01", "mood@-1", "mood@x", "@1", "a@1@2", "mood@٣",
      "mood@99999999999999999999", "mood@ 1", "mood@1/x",
    ] {
      #expect(throws: NameError.self, "\(text)") { try VBertAddress(text) }
    }
  }
}
