import Foundation
import Testing

@testable import Dispatcher

@Suite struct JSONWriterTests {
  @Test func whatFoundationReadsIsWhatWasWritten() throws {
    let text = "a\"b\\c\n\r\t\u{0}\u{1F}é\u{2028}😀"
    var writer = JSONWriter()
    writer.object { object in
      object.member("text", text)
      object.member("int", -7)
      object.member("yes", true)
      object.key("none")
      object.null()
      object.key("list")
      object.array { list in
        list.numbers([])
        list.numbers([1, -0.5, 1e-38, 3.4e38, .nan, .infinity])
        list.object { _ in }
        list.string("")
      }
      object.member("double", 0.1)
    }
    let value = try #require(
      JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String: Any])
    #expect((value["text"] as? String)?.utf8.elementsEqual(text.utf8) == true)
    #expect(value["int"] as? Int == -7 && value["yes"] as? Bool == true)
    #expect(value["none"] is NSNull && value["double"] as? Double == 0.1)
    let list = try #require(value["list"] as? [Any])
    #expect(list.count == 4 && (list[0] as? [Any])?.isEmpty == true)
    let numbers = try #require(list[1] as? [Any])
    #expect(numbers[4] is NSNull && numbers[5] is NSNull)
    let read = numbers.prefix(4).compactMap { ($0 as? NSNumber)?.floatValue }
    #expect(read == [1, -0.5, 1e-38, 3.4e38])
  }
}
