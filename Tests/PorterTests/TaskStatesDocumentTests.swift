import Porter
import PorterTestSupport
import Testing

/// `docs/task-states.md` says what the code does.
@Suite struct TaskStatesDocumentTests {
    private let document: String

    init() throws {
        document = try Checkout.text("docs/task-states.md")
    }

    private func table(_ heading: String) -> [[String]] { Checkout.table(under: heading, in: document) }

    @Test func `the states are all there, in order, with their word and whether they are final`() {
        let rows = table("## States").map { [$0[0], $0[2], $0[3]] }

        let states = TaskState.allCases.map { state in
            [
                "`\(state.rawValue)`", state.isFinal ? "yes" : "no",
                state == .running ? "by phase, below" : StateWord(state, phase: nil).rawValue,
            ]
        }
        #expect(rows == states)
    }

    @Test func `the transitions are exactly those that the code allows`() {
        let rows = table("## Transitions").map { $0[0] + " " + $0[1] }

        let pairs = TaskState.allCases.flatMap { from in TaskState.allCases.map { (from, $0) } }
        let allowed = pairs.filter { $0.0.mayBecome($0.1) }
            .map { "`\($0.0.rawValue)` `\($0.1.rawValue)`" }
        #expect(Set(rows) == Set(allowed))
        #expect(rows.count == allowed.count)
    }

    @Test func `every transition names who makes it, a function that exists, and what undoes it`() throws {
        let sources = try Checkout.texts(below: "Sources/Lib", suffix: ".swift").values
        let rows = table("## Transitions")

        for row in rows {
            #expect(row.count == 6 && !row.contains(""), "a cell is empty: \(row)")
            for function in row[4].quotedWords {
                #expect(sources.contains { $0.contains("func \(function)(") }, "no function \(function)")
            }
            #expect(!row[4].quotedWords.isEmpty)
        }
        #expect(!rows.isEmpty)
    }

    @Test func `every change within a state names a function that exists`() throws {
        let sources = try Checkout.texts(below: "Sources/Lib", suffix: ".swift").values
        let functions = table("### Changes within a state").flatMap { $0[0].quotedWords }

        #expect(!functions.isEmpty)
        for function in functions {
            #expect(sources.contains { $0.contains("func \(function)(") }, "no function \(function)")
        }
    }

    @Test func `the phases are all there, in order, with their word`() {
        let rows = table("## Phases").map { [$0[0], $0[3]] }

        let phases = Phase.allCases.map { ["`\($0.rawValue)`", StateWord(.running, phase: $0).rawValue] }
        #expect(rows == phases)
    }

    @Test func `the reasons are all there, in order, with sentence, turn and retry`() {
        let reasons = Reason.allCases.filter { !$0.isOnlyForAnswers }
        #expect(table("## Reasons") == reasons.map(Self.row))
    }

    @Test func `the reasons of answers without a task are all there`() {
        let reasons = Reason.allCases.filter(\.isOnlyForAnswers)
        #expect(table("## Reasons of answers without a task") == reasons.map(Self.row))
    }

    @Test(arguments: ["### Before a report", "### After a report"])
    func `every ending that an attempt may lead to is a state or a reason`(heading: String) {
        let known = Set(Reason.allCases.map(\.rawValue) + TaskState.allCases.map(\.rawValue))
        let endings = table(heading).flatMap { $0[2].quotedWords }

        #expect(!endings.isEmpty)
        #expect(Set(endings).subtracting(known).isEmpty)
    }

    @Test func `the moments of an attempt are the columns of its table`() throws {
        let migration = try Checkout.text("Sources/Lib/Store/Migrations/2026-11-24-spine.swift")
        let table = try #require(migration.firstMatch(of: /CREATE TABLE attempts \(([^;]*)\) STRICT/))
        let columns = table.1.matches(of: /\n *(\w+_at) INTEGER/).map { String($0.1) }
        let section = document.split(separator: "\n").drop { $0 != "## Attempts" }.dropFirst()
            .prefix { !$0.hasPrefix("#") }

        let named = section.joined(separator: "\n").quotedWords.filter { $0.hasSuffix("_at") }
        #expect(Set(named) == Set(columns))
        #expect(columns.count > 5)
    }

    private static func row(_ reason: Reason) -> [String] {
        [
            "`\(reason.rawValue)`", reason.sentence, reason.turn.rawValue,
            reason.mayRetry ? "yes" : "no",
        ]
    }
}
