import Foundation
import Porter
import Testing

@Suite struct SureJSONTests {
    @Test(arguments: ["", "a/b", "\"\\\n\u{0}", "ä😀", "\u{2028}"])
    func `any text is written, and read back as it was`(text: String) throws {
        let data = SureJSON.data([text: [text]])
        #expect(try JSONDecoder().decode([String: [String]].self, from: data) == [text: [text]])
    }

    @Test func `fields are sorted, and slashes stay`() {
        #expect(SureJSON.text(["b": "x/y", "a": "z"]) == #"{"a":"z","b":"x/y"}"#)
    }
}
