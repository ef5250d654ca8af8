import Porter
import PorterTestWorld
import Testing

@testable import PorterWork

/// How an ending reads to a person: nothing in it is untrue, said twice, or points to what is not there.
@Suite struct EndingTextTests {
    private static let sample: PorterTask? = {
        guard let world = try? World(), let id = try? world.ask() else { return nil }
        return try? world.task(id)
    }()

    /// The ending of a task that ran for three seconds and failed, changed as the closure says.
    private func ending(_ change: (inout PorterTask) -> Void) throws -> String {
        var task = try #require(Self.sample)
        task.state = .failed
        task.attempt = 1
        task.startedAt = task.createdAt
        task.finishedAt = task.createdAt.adding(seconds: 3)
        change(&task)
        return EndingText.body(task, agent: "Codex", mention: "porter")
    }

    private func firstLine(_ change: (inout PorterTask) -> Void) throws -> String {
        String(try ending(change).prefix { $0 != "\n" })
    }

    @Test func `a failed agent's words are referred to where they are, and only if there are any`() throws {
        let silent = try ending { $0.reason = .agentFailed }
        #expect(!silent.contains("said") && !silent.contains("above"))
        let told = try ending {
            $0.reason = .agentFailed
            $0.summary = "No such file."
        }
        #expect(told.contains("What it said last is folded below."))
        #expect(told.contains("<summary>What Codex said</summary>"))
        let other = try ending {
            $0.reason = .providerAuth
            $0.summary = "401"
        }
        #expect(!other.contains("below"))
    }

    @Test func `a step on Porter's pages leads there`() throws {
        let site = "https://porter.example.org"
        var task = try #require(Self.sample)
        task.state = .failed
        task.reason = .notSignedUp
        let first = EndingText.body(task, agent: "Codex", mention: "porter", site: site)
        #expect(first.contains("Next: [Sign in to Porter](\(site)/settings/) and add your key"))
        task.reason = .providerAuth
        let second = EndingText.body(task, agent: "Codex", mention: "porter", site: site)
        #expect(second.contains("the key in [Porter's settings](\(site)/settings/); then write"))
    }

    @Test func `where the work is, and how long it took, read as one sentence each`() throws {
        #expect(
            try firstLine { $0.reason = .agentFailed }
                == "**Failed** · @maria nothing was saved to a branch. It ran for 3 s.")
        #expect(
            try firstLine { $0.reason = .secretInChanges }
                == "**Failed** · @maria nothing was pushed. It ran for 3 s.")
        #expect(
            try firstLine {
                $0.reason = .machineLost
                $0.headSHA = "c"
                $0.branch = "porter/x"
            } == "**Failed** · @maria what was done in 3 s is saved on the branch `porter/x`.")
        #expect(
            try firstLine {
                $0.reason = .launchFailed
                $0.startedAt = nil
            } == "**Failed** · @maria nothing was saved to a branch.")
    }

    @Test func `a queued task that was stopped is no failed start`() throws {
        #expect(
            try firstLine {
                $0.state = .cancelled
                $0.reason = .cancelledByUser
                $0.attempt = 0
            } == "**Cancelled** · @maria this was called off before it had begun.")
        #expect(
            try firstLine {
                $0.reason = .baseBranchMissing
                $0.attempt = 0
            } == "**Failed** · @maria this could not be started.")
    }

    @Test(arguments: Reason.allCases.filter { !$0.isOnlyForAnswers })
    func `the next step says once how to retry`(reason: Reason) throws {
        let body = try ending { $0.reason = reason }
        let line = try #require(body.split(separator: "\n").first { $0.hasPrefix("Next: ") })
        #expect(line.hasSuffix(" write `@porter retry`.") == reason.mayRetry)
        let other = line.replacing("`@porter retry`", with: "").replacing("To retry, write", with: "")
        #expect(!other.lowercased().contains("retry"))
    }

    @Test func `a lost machine is not said to have saved nothing`() {
        #expect(!Reason.machineLost.sentence.contains("save"))
    }

    @Test func `of long last words the end is quoted`() throws {
        for text in [
            String(repeating: "x", count: 5000) + " the end",
            String(repeating: "a line\n", count: 900) + "the end",
        ] {
            let body = try ending {
                $0.reason = .agentFailed
                $0.summary = text
            }
            #expect(body.contains("the end\n```"))
            #expect(body.contains("```text\n…"))
            let quoted = try #require(
                body.split(separator: "```text\n").last?.split(separator: "\n```").first)
            #expect(quoted.unicodeScalars.count == 2000)
        }
    }

    @Test func `what cannot be seen and turns the text around is left out`() throws {
        let hostile = "a\u{202E}b\u{7}c\u{2066}d\u{200F}e\u{85}f\u{61C}g"
        let body = try ending {
            $0.reason = .agentFailed
            $0.summary = hostile
            $0.detail = hostile
        }
        #expect(body.contains("`abcdefg`") && body.contains("```text\nabcdefg\n```"))
        var task = try #require(Self.sample)
        task.issueTitle = "one \u{202E}two\u{7} three"
        #expect(PullRequestText.title(task) == "one two three")
        #expect("é🎉\u{200D}日本\tx\n\u{5D0}".plain == "é🎉\u{200D}日本\tx\n\u{5D0}")
    }

    @Test func `a pull request's title mentions nobody`() throws {
        var task = try #require(Self.sample)
        task.issueTitle = "Ask @maria and @acme/all, not a@ b or x@y.z"
        let title = PullRequestText.title(task)
        #expect(title.replacing("\u{2060}", with: "") == task.issueTitle)
        #expect(title.firstMatch(of: /@[A-Za-z0-9]/) == nil)
    }
}

extension String {
    /// Of each link in Markdown only its words.
    var withoutLinks: String { replacing(/\[([^\]]*)\]\([^)]*\)/) { $0.1 } }
}

extension Reason {
    /// The next step as an ending begins it.
    var nextWords: String { "Next: " + nextStep.replacing("then retry.", with: "then write") }
}
