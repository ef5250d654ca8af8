import Porter
import PorterTestSupport
import Testing

@testable import PorterWorker

/// What a run reports, with real git and real boxes; Porter is played.
@Suite struct RunTests {
    private let scene: RepositoryScene

    init() throws {
        scene = try RepositoryScene()
    }

    private func run(
        _ script: String, porter: FakePorter = FakePorter(), secret: String = "sk-canary-000001",
        clone: Int = 30, save: Int = 30
    ) throws -> CompleteBody {
        let environment = [
            "PORTER_CALLBACK_URL": "http://porter.test", "PORTER_CALLBACK_TOKEN": "t",
            "PORTER_TASK_ID": RepositoryScene.task, "PORTER_WORKSPACE": scene.workspace.root,
        ]
        let pulse = Pulse(
            callbacks: porter.callbacks, token: Secret("t"), log: LogBuffer(redactor: Redactor()))
        defer { pulse.finish() }
        let run = Run(
            assignment: scene.assignment(clone: clone, save: save, script: script),
            settings: try WorkerSettings.load(environment), callbacks: porter.callbacks, pulse: pulse,
            token: Secret("t"), secrets: [secret])
        let report = run.report()
        pulse.deliver()
        return report
    }

    /// Lets every push to the task's branch fail.
    private func refusePushes() throws {
        try scene.folder.shell("git -C origin.git branch porter main")
    }

    @Test func `a good run is a success with its commit on the branch`() throws {
        let porter = FakePorter()
        let report = try run("echo x > b.txt; echo It is done.", porter: porter)
        #expect(report.status == "success" && report.reason == nil)
        #expect(report.summary == "It is done.")
        #expect(
            try scene.folder.shell("git -C origin.git rev-parse porter/\(RepositoryScene.task)")
                == report.head_sha)
        #expect(porter.messages.isEmpty)
    }

    @Test func `a refused push leaves the agent its last words, and is said beside them`() throws {
        try refusePushes()
        let porter = FakePorter()
        let report = try run("echo x > b.txt; echo It is done.", porter: porter)
        #expect(report.status == "failed" && report.reason == "push_rejected")
        #expect(report.summary == "It is done.")
        #expect(report.head_sha == nil && report.branch == nil)
        #expect(porter.messages.last?.hasPrefix("remote: error: cannot lock ref") == true)
    }

    @Test func `a failure whose work could not be saved stays that failure, and says why`() throws {
        try refusePushes()
        let porter = FakePorter()
        let report = try run("echo x > b.txt; echo I gave up.; exit 3", porter: porter)
        #expect(report.status == "failed" && report.reason == "agent_failed")
        #expect(report.summary == "I gave up.")
        #expect(report.exit_code == 3)
        #expect(porter.messages.last?.hasPrefix("Not saved (push_rejected): ") == true)
    }

    @Test func `a secret in the changes keeps them here, and the agent's words`() throws {
        let porter = FakePorter()
        let report = try run("echo sk-canary-000001 > b.txt; echo It is done.", porter: porter)
        #expect(report.status == "failed" && report.reason == "secret_in_changes")
        #expect(report.summary == "It is done.")
        #expect(porter.bodies("credential").isEmpty)
    }

    @Test func `saving over its limit is timed out, and the agent's words stay`() throws {
        let porter = FakePorter()
        let report = try run("echo x > b.txt; echo It is done.", porter: porter, save: 0)
        #expect(report.status == "timed_out" && report.reason == "timeout")
        #expect(report.summary == "It is done.")
        #expect(porter.messages.last == "Saving took longer than 0 seconds.")
    }

    @Test func `a credential that never comes is saving over its limit`() throws {
        let porter = FakePorter { name, _, _ in name == "credential" ? FakePorter.page(200) : nil }
        let report = try run("echo x > b.txt; echo It is done.", porter: porter, save: 2)
        #expect(report.status == "timed_out" && report.reason == "timeout")
    }

    @Test func `a clone over its limit is timed out`() throws {
        let porter = FakePorter()
        let report = try run("true", porter: porter, clone: 0)
        #expect(report.status == "timed_out" && report.reason == "timeout")
        #expect(report.summary == nil && report.exit_code == nil)
        #expect(porter.messages.last == "The clone took longer than 0 seconds.")
    }

    @Test func `a clone that fails says so, and not as the agent's words`() throws {
        try scene.folder.shell("rm -rf origin.git")
        let porter = FakePorter()
        let report = try run("true", porter: porter)
        #expect(report.status == "failed" && report.reason == "clone_failed")
        #expect(report.summary == nil)
        #expect(porter.messages.last?.isEmpty == false)
    }

    @Test func `an agent that Porter refuses never begins`() throws {
        let porter = FakePorter { name, body, _ in
            guard name == "progress", body["phase"] as? String == "agent" else { return nil }
            return FakePorter.json(409, #"{"error": "refused", "message": "No."}"#)
        }
        let report = try run("echo x > b.txt", porter: porter)
        #expect(report.status == "failed" && report.reason == "setup_failed")
        #expect(report.exit_code == nil)
        #expect(!porter.log.contains("porter: running"))
    }

    @Test func `what had to be left out is in the log, and the rest is pushed`() throws {
        let porter = FakePorter()
        let report = try run("echo x > b.txt; rm a.txt; mkfifo a.txt; echo Done.", porter: porter)
        #expect(report.status == "success" && report.head_sha != nil)
        #expect(porter.log.contains("porter: left out of what is saved: "))
        #expect(porter.log.contains("a.txt"))
    }

    @Test func `nothing but what had to be left out is no success`() throws {
        let report = try run("rm a.txt; mkfifo a.txt; echo Done.")
        #expect(report.status == "failed" && report.reason == "internal")
        #expect(report.summary == "Done.")
    }

    @Test func `what is said fits its field and holds no secret`() throws {
        Redactor.shared.watch(Secret("canary-in-words"))
        let porter = FakePorter()
        let name = String(repeating: "ü", count: 100)
        let folders = (1...8).map { _ in name }.joined(separator: "/")
        _ = try run("mkdir -p \(folders)/canary-in-words; git init -q \(folders)/x", porter: porter)
        for message in porter.messages {
            #expect(message.utf8.count <= 1024)
            #expect(!message.contains("canary-in-words") && !message.contains("\u{FFFD}"))
        }
    }
}
