import Porter
import Testing

@testable import PorterWorker

/// What must not be pushed is found wherever a push would carry it.
@Suite struct InspectionTests {
    private let scene: RepositoryScene

    init() throws {
        scene = try RepositoryScene()
    }

    @Test(arguments: ["printf %s sk-canary-000001", "printf %s sk-canary-000001 | base64"])
    func `a secret in a file is found, plain and encoded`(writing: String) throws {
        let (base, head) = try scene.commit("\(writing) > leak.txt")
        let inspection = Inspection(workspace: scene.workspace, secrets: ["sk-canary-000001"])
        let error = #expect(throws: WorkerFailure.self) {
            try inspection.check(from: base, to: head, scene.limit)
        }
        #expect(error?.reason == .secretInChanges)
    }

    @Test func `a secret that a later commit removed is found nevertheless`() throws {
        let (base, head) = try scene.commit(
            "echo sk-canary-000001 > l.txt; git add -A; git commit -qm one; echo clean > l.txt")
        let inspection = Inspection(workspace: scene.workspace, secrets: ["sk-canary-000001"])
        #expect(throws: WorkerFailure.self) { try inspection.check(from: base, to: head, scene.limit) }
    }

    @Test func `honest changes pass`() throws {
        let (base, head) = try scene.commit("echo honest > b.txt")
        let inspection = Inspection(workspace: scene.workspace, secrets: ["sk-canary-000001", "short"])
        try inspection.check(from: base, to: head, scene.limit)
    }

    @Test func `a file that GitHub would not take is named`() throws {
        let (base, head) = try scene.commit("truncate -s \(Inspection.maximumFile + 1) 'big file.bin'")
        let error = #expect(throws: WorkerFailure.self) {
            try Inspection(workspace: scene.workspace, secrets: []).check(from: base, to: head, scene.limit)
        }
        #expect(error?.reason == .tooLarge)
        #expect(error?.detail.contains("big file.bin") == true)
    }
}
