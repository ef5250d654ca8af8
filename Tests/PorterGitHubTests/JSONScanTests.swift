import Foundation
import PorterTestSupport
import Testing

@testable import PorterGitHub

@Suite struct JSONScanTests {
    private func scan(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { JSONScan.isObject($0) }
    }

    private func scan(_ text: String) -> Bool { scan(Array(text.utf8)) }

    private func decodes(_ bytes: [UInt8]) -> Bool {
        (try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))) != nil
    }

    /// Objects, by the grammar of RFC 8259.
    static let objects = [
        "{}", " \t\r\n{ } \n", #"{"a":1}"#, #"{"a":{},"b":[]}"#, #"{"a":[1,2,[3,{"b":null}]]}"#,
        #"{"a":true,"b":false,"c":null}"#, #"{"a" : "x" , "b" : "y"}"#, #"{"":""}"#, #"{"a":1,"a":2}"#,
        #"{"a":0,"b":-0,"c":-1,"d":1.5,"e":1e5,"f":1E+5,"g":1.25e-5,"h":0.0,"i":0e0}"#,
        #"{"a":"\" \\ \/ \b \f \n \r \t \u00e9 \uD83E\uDD80"}"#, #"{"a":"\\"}"#, #"{"a":"\\\""}"#,
        #"{"\"}":"{"}"#, #"{"a":"]},[{"}"#, "{\"a\":\"ö 🦀 \u{7f} \u{2028}\"}", #"{"a":123456789012345678}"#,
    ]

    /// Neither the scan nor a decoder takes these.
    static let others = [
        "", " ", "{", "}", "{}}", "{}{}", "{} x", "{\"a\"}", "{\"a\":}", "{,}", "{,\"a\":1}",
        "{\"a\":1 \"b\":2}", "{\"a\":1;}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\":[,1]}",
        "{\"a\":[1 2]}", "{\"a\":[}", "{\"a\":[1}]", "{\"a\":{]", "{\"a\":\"}", "{\"a", "{\"a\":\"x",
        "{\"a\":\"\\\"}", "{\"a\":01}", "{\"a\":-}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":1.e5}",
        "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":0x1}", "{\"a\":1_000}", "{\"a\":--1}", "{\"a\":1-1}",
        "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":-Infinity}", "{\"a\":tru}", "{\"a\":truE}",
        "{\"a\":True}", "{\"a\":nulll}", "{\"a\":falsey}", "{\"a\":undefined}", "{\"a\":1}//", "/**/{}",
        "{\"a\":/**/1}", "{\"a\"::1}", "{\"a\":1,,\"b\":2}", "{\"a\":1}\u{0}", "\u{0}{}", "{\u{0}}",
        "{\"a\":1\u{0}}", "{\u{a0}}", "{\u{feff}}", "{\"a\":[1]", "{\"a\":\"x\"\"y\"}", "{\"a\":*}",
    ]

    @Test(arguments: objects)
    func `an object is one, and a decoder agrees`(text: String) {
        #expect(scan(text))
        #expect(decodes(Array(text.utf8)))
    }

    @Test(arguments: others)
    func `what is no object is none, and a decoder agrees`(text: String) {
        #expect(!scan(text))
        #expect(!decodes(Array(text.utf8)))
    }

    // Foundation's decoder overlooks a comma at the end; RFC 8259 does not.
    @Test(arguments: ["{\"a\":1,}", "{\"a\":[1,]}", "{\"a\":1 , }"])
    func `a comma at the end is refused before a decoder sees it`(text: String) {
        #expect(!scan(text))
    }

    @Test(arguments: ["[]", "[{}]", "1", "\"{}\"", "null", "true", "-0.5"])
    func `JSON that is no object is none`(text: String) {
        #expect(!scan(text))
        #expect(decodes(Array(text.utf8)))
    }

    @Test func `every cut of an object is none`() {
        let text = Array(#"{"a":[1,{"b":"\"x\\"},null],"c":-1.5e3,"d":{"e":true}}"#.utf8)
        #expect(scan(text))
        for count in 0..<text.count { #expect(!scan(Array(text[..<count])), "\(count)") }
    }

    @Test func `512 values in each other are taken, one more is not, and a decoder agrees`() {
        func nested(_ depth: Int) -> [UInt8] {
            // One object outside, arrays in it.
            Array(
                ("{\"a\":" + String(repeating: "[", count: depth - 1)
                    + String(repeating: "]", count: depth - 1) + "}").utf8)
        }
        #expect(scan(nested(512)))
        #expect(!scan(nested(513)))
        #expect(!scan(nested(100_000)))
        struct Nothing: Decodable {}
        #expect((try? JSONDecoder().decode(Nothing.self, from: Data(nested(512)))) != nil)
        #expect((try? JSONDecoder().decode(Nothing.self, from: Data(nested(513)))) == nil)
    }

    @Test func `at every depth each value ends as it began`() {
        // Objects and arrays in turn, in threes, so that no word of bits repeats itself.
        let kinds = [true] + (1..<512).map { $0 % 3 == 0 || $0 % 7 == 1 }
        let begun = kinds.enumerated().map { index, isObject in
            index == 511 ? (isObject ? "{" : "[") : isObject ? "{\"a\":" : "["
        }
        let ends = kinds.reversed().map { $0 ? "}" : "]" }
        #expect(scan(Array((begun + ends).joined().utf8)))
        for depth in kinds.indices {
            var wrong = ends
            wrong[depth] = ends[depth] == "}" ? "]" : "}"
            #expect(!scan(Array((begun + wrong).joined().utf8)), "\(depth)")
        }
    }

    // What lies inside strings is the decoder's to judge: these pass the scan, and only events that Porter
    // acts on are decoded.
    @Test(arguments: [
        Array("{\"a\":\"\u{0}\"}".utf8), Array("{\"a\":\"x\ny\"}".utf8), Array(#"{"a":"\x"}"#.utf8),
        Array(#"{"a":"\u12"}"#.utf8), Array(#"{"a":"\uD800"}"#.utf8),
    ])
    func `a string's escapes are not looked at`(bytes: [UInt8]) {
        #expect(scan(bytes))
        #expect(!decodes(bytes))
    }

    /// A byte that begins nothing, one that continues nothing, an overlong one, half a surrogate, a cut character.
    @Test(arguments: [[0xff], [0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0xa6]] as [[UInt8]])
    func `what is no UTF-8 is refused wherever it stands`(bytes: [UInt8]) {
        for position in 0..<40 {
            let before = Array("{\"a\":\"\(String(repeating: "x", count: position))".utf8)
            for after in ["\"}", "\",\"b\":\"\(String(repeating: "y", count: 40))\"}"] {
                #expect(!scan(before + bytes + Array(after.utf8)), "\(position)")
                #expect(scan(before + Array("ö🦀".utf8) + Array(after.utf8)), "\(position)")
            }
        }
    }

    // GitHub sends UTF-8 without a mark; a decoder would look over it.
    @Test func `a byte order mark and other encodings are refused`() {
        #expect(!scan([0xef, 0xbb, 0xbf] + Array("{}".utf8)))
        #expect(!scan([0xff, 0xfe, 0x7b, 0, 0x7d, 0]))
        #expect(!scan([0x7b, 0, 0x7d, 0]))
        #expect(!scan([0, 0x7b, 0, 0x7d]))
    }

    @Test func `the scan reads nothing past its end`() {
        // The byte behind would complete the object.
        let bytes = Array(#"{"a":1}"#.utf8)
        bytes.withUnsafeBytes { buffer in
            #expect(!JSONScan.isObject(UnsafeRawBufferPointer(rebasing: buffer[..<6])))
            #expect(!JSONScan.isObject(UnsafeRawBufferPointer(rebasing: buffer[..<0])))
        }
    }

    @Test func `a long string of quotes and backslashes takes no time`() {
        let long = #"{"a":""# + String(repeating: #"\\\""#, count: 2_000_000) + #""}"#
        let start = ContinuousClock.now
        #expect(scan(long))
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
