import Foundation
import PorterHTTP
import Testing

@testable import PorterWeb

@Suite struct EntityTagTests {
    private let answer = Response.json(200, .object(["tasks": .array([])]))

    private func ask(_ condition: String?) -> Request {
        Request(
            method: "GET", target: "/api/tasks",
            fields: condition.map { ["If-None-Match": $0] } ?? [:])
    }

    @Test func `an answer has a tag, and the same contents have the same`() {
        let tag = answer.unlessKnown(to: ask(nil)).fields["ETag"]

        #expect(tag?.count == 34)
        #expect(tag == answer.unlessKnown(to: ask("\"other\"")).fields["ETag"])
        #expect(tag != Response.json(200, .object([:])).unlessKnown(to: ask(nil)).fields["ETag"])
    }

    @Test(arguments: ["%", "W/%", "\"other\", %", "*"])
    func `who names the tag gets 304 and no contents`(pattern: String) throws {
        let tag = try #require(answer.unlessKnown(to: ask(nil)).fields["ETag"])

        let again = answer.unlessKnown(to: ask(pattern.replacing("%", with: tag)))

        #expect(again.status == 304)
        #expect(again.body.isEmpty)
        #expect(again.fields["ETag"] == tag)
    }

    @Test(arguments: ["", "other", "\"other\"", "W/\"other\""])
    func `who names another gets the contents`(condition: String) {
        let again = answer.unlessKnown(to: ask(condition))

        #expect(again.status == 200)
        #expect(again.body == answer.body)
    }

    @Test func `a refusal has no tag`() {
        let refusal = Failure.noTask.response.unlessKnown(to: ask("*"))

        #expect(refusal.status == 404)
        #expect(refusal.fields["ETag"] == nil)
    }
}
