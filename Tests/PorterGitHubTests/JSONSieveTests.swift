import Foundation
import Testing

@testable import PorterGitHub

@Suite struct JSONSieveTests {
    private func sift(_ text: String, _ wanted: String...) -> String {
        String(
            decoding: JSONSieve.sift(Data(text.utf8), Set(wanted.map { ArraySlice($0.utf8) })), as: UTF8.self)
    }

    @Test func `members that nobody wants are left out at any depth, with all that is in them`() {
        #expect(
            sift(#"{"a":1,"b":{"a":2,"c":[{"a":3}]},"d":{"a":4,"x":5},"e":[1]}"#, "a", "d")
                == #"{"a":1,"d":{"a":4}}"#)
    }

    @Test func `values are kept letter by letter`() {
        let text = #"{"a":"x\"y\\","b":-1.5e+3,"c":[true,null,"]}",[],{}],"d":"\u00e9ü"}"#
        #expect(sift(text, "a", "b", "c", "d") == text)
    }

    @Test func `white space between members and values is left out`() {
        #expect(
            sift(" { \"a\" : [ 1, {} ] ,\n \"b\" : 3 , \"c\" : { } } ", "a", "c") == #"{"a":[1,{}],"c":{}}"#)
    }

    @Test func `a name with escapes is kept, since it may be any`() {
        #expect(sift(#"{"\u0061":1,"b":2}"#, "a") == #"{"\u0061":1}"#)
    }

    @Test(arguments: ["", "[1]", "{\"a\":1", "{\"a\" 1}", String(repeating: "[", count: 100_000)])
    func `what is no object stays as it is`(text: String) {
        #expect(sift(text, "a") == text)
    }
}
