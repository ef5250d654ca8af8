import Foundation
import Porter
import PorterTestSupport
import Testing

@testable import PorterGitHub

/// Members alone, and the decoder behind them.
@Suite struct PayloadReadingTests {
    /// A payload with every member that is read.
    private static let whole: JSONValue = {
        let user = JSONValue.object([
            "id": .integer(8), "login": .string("p"), "type": .string("User"), "slug": .string("p"),
        ])
        let repository = JSONValue.object([
            "id": .integer(1), "name": .string("r"), "full_name": .string("o/r"), "owner": user,
            "default_branch": .string("main"), "archived": .bool(false),
        ])
        let text = JSONValue.object([
            "id": .integer(5), "number": .integer(3), "title": .string("t"), "body": .string("b"),
            "html_url": .string("u"), "user": user, "author_association": .string("NONE"),
            "performed_via_github_app": .object(["id": .integer(9)]),
            "created_at": .string("2026-01-01T00:00:00Z"),
            "updated_at": .string("2026-01-01T00:00:00Z"), "closed_at": .string("2026-01-01T00:00:00Z"),
            "submitted_at": .string("2026-01-01T00:00:00Z"), "pull_request": .object([:]),
            "other": .array([user]),
        ])
        return .object([
            "action": .string("created"), "repository": repository, "issue": text, "pull_request": text,
            "comment": text, "review": text, "changes": .object(["old_issue": .object([:])]),
            "installation": .object(["id": .integer(4), "account": user]), "sender": user,
            "repositories": .array([repository]), "repositories_added": .array([repository]),
            "repositories_removed": .array([repository]),
        ])
    }()

    /// The payload with one value in turn replaced by that text.
    private static func variants(of json: JSONValue) -> [JSONValue] {
        var variants = [JSONValue.string("@")]
        switch json {
        case .object(let members):
            for (name, value) in members {
                for variant in self.variants(of: value) {
                    variants.append(.object(members.merging([name: variant]) { $1 }))
                }
            }
        case .array(let values): variants += values.flatMap(self.variants).map { .array([$0]) }
        default: break
        }
        return variants
    }

    private func agree(_ bytes: Data) throws -> Bool {
        guard let members = JSONTree.read(bytes), let read = try? Payload(members) else { return false }
        let decoded = try JSONDecoder().decode(Payload.self, from: bytes)
        for event in [
            "issue_comment", "pull_request_review", "issues", "installation", "installation_repositories",
            "repository", "github_app_authorization",
        ] {
            #expect(read.event(event) == decoded.event(event), "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(read.action == decoded.action)
        return true
    }

    @Test(arguments: [
        "null", "true", "[]", "{}", "7", "-0", "1.5", "1e30", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "-9223372036854775809", #""é\u00e9\ud83e\udd80\n\/\"""#, #""\ud800""#,
        #""\udd80x""#,
        #""\q""#, #"[{"id":1}]"#, #"{"id":1,"id":2}"#, #"{"\u0069d":1}"#, "\"a\tb\"",
    ])
    func `whatever stands in a member, it is read as the decoder reads it or left to it`(strange: String)
        throws
    {
        for variant in Self.variants(of: Self.whole) {
            let text = String(decoding: variant.data, as: UTF8.self)
            _ = try agree(Data(text.replacingOccurrences(of: "\"@\"", with: strange).utf8))
        }
    }

    @Test(arguments: [
        #"{"action":"x","a":{"b":[1,{"action":7},"]}"],"c":{}},"issue":null}"#,
        " { \"action\" : \"x\" ,\n \"repositories\" : [ { \"id\" : 1 } , { \"id\" : -2 } ] , \"z\" : [ ] } ",
        #"{"action":"x\"y\\","zz":"\\"}"#, "{}",
    ])
    func `what is usual needs no decoder`(text: String) throws {
        #expect(try agree(Data(text.utf8)))
    }

    @Test(arguments: [
        "", "[1]", "{\"a\":1", "{\"a\" 1}", String(repeating: "[", count: 100_000),
        #"{"action":"a","action":"b"}"#,
        #"{"\u0061ction":"b"}"#, #"{"issue":{}}"#, #"{"issue":{"number":"1"}}"#, #"{"issue":{"number":1.0}}"#,
    ])
    func `what is unusual is left to the decoder`(text: String) {
        let members = JSONTree.read(Data(text.utf8))
        #expect((try? members.map(Payload.init)) == nil)
    }

    @Test func `text that is not UTF-8 is left to the decoder`() {
        #expect(JSONTree.read(Data(#"{"action":""#.utf8 + [0xFF] + #""}"#.utf8)) == nil)
    }
}
