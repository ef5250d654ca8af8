import Foundation
import Porter
import Testing

@testable import PorterRunner

@Suite struct CreateBodyTests {
    private static let env =
        #"{"PORTER_CALLBACK_URL": "u", "PORTER_TASK_ID": "t", "PORTER_CALLBACK_TOKEN": "s"}"#

    private func refusal(_ body: String) -> Refusal? {
        do throws(Refusal) {
            _ = try CreateBody.read(Data(body.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test func `what Porter sends is understood`() throws {
        let plan = try CreateBody.read(
            Data(
                """
                {"name": "porter-task-1", "region": "ams", "config": {"image": "i", "env": \(Self.env),
                "metadata": {"porter_task": "t"}, "restart": {"policy": "no"}, "auto_destroy": true,
                "guest": {"cpu_kind": "shared", "cpus": 2, "memory_mb": 2048}, "init": {}}}
                """.utf8))
        #expect(plan.name == "porter-task-1")
        #expect(plan.config.guest.cpus == 2)
        #expect(plan.config.guest.memory_mb == 2048)
        #expect(plan.config.metadata == ["porter_task": "t"])
        #expect(plan.token.reveal { $0 } == "s")
        #expect(plan.config.env["PORTER_CALLBACK_TOKEN"] == nil)
    }

    @Test(arguments: ["", "{", "nothing", "[]", "7", "\"text\""])
    func `what is no JSON object is 400`(body: String) {
        #expect(refusal(body)?.status == 400)
    }

    @Test(arguments: [
        (#"{}"#, "config "),
        (#"{"config": {"env": ENV}}"#, "config.image "),
        (#"{"config": {"image": "", "env": ENV}}"#, "config.image "),
        (#"{"config": {"image": 7, "env": ENV}}"#, "config.image "),
        (#"{"config": {"image": "i"}}"#, "config.env.PORTER_CALLBACK_TOKEN "),
        (
            #"{"config": {"image": "i", "env": {"PORTER_CALLBACK_URL": "u", "PORTER_CALLBACK_TOKEN": "s"}}}"#,
            "config.env.PORTER_TASK_ID "
        ),
        (#"{"config": {"image": "i", "env": {"LD_PRELOAD": "x"}}}"#, "config.env.LD_PRELOAD "),
        (#"{"config": {"image": "i", "env": {"PORTER_TASK_ID": 7}}}"#, "config.env.PORTER_TASK_ID "),
        (
            #"{"config": {"image": "i", "env": {"PORTER_CALLBACK_URL": "u", "PORTER_TASK_ID": "t\u0000--bind", "PORTER_CALLBACK_TOKEN": "s"}}}"#,
            "config.env.PORTER_TASK_ID "
        ),
        (#"{"name": "A b", "config": {"image": "i", "env": ENV}}"#, "name"),
        (#"{"name": "", "config": {"image": "i", "env": ENV}}"#, "name"),
        (
            #"{"config": {"image": "i", "env": ENV, "restart": {"policy": "always"}}}"#,
            "config.restart.policy "
        ),
        (#"{"config": {"image": "i", "env": ENV, "auto_destroy": false}}"#, "config.auto_destroy "),
        (#"{"config": {"image": "i", "env": ENV, "guest": {"memory_mb": 255}}}"#, "config.guest.memory_mb "),
        (
            #"{"config": {"image": "i", "env": ENV, "guest": {"memory_mb": 262145}}}"#,
            "config.guest.memory_mb "
        ),
        (#"{"config": {"image": "i", "env": ENV, "guest": {"cpus": 0}}}"#, "config.guest.cpus "),
        (#"{"config": {"image": "i", "env": ENV, "guest": {"cpus": 129}}}"#, "config.guest.cpus "),
    ])
    func `what cannot be is 422 and names the field`(body: String, field: String) {
        let refusal = refusal(body.replacingOccurrences(of: "ENV", with: Self.env))
        #expect(refusal?.status == 422)
        #expect(refusal?.words.hasPrefix(field) == true, "\(refusal?.words ?? "")")
    }

    @Test func `the bounds of a machine are within them`() {
        for (memory, cpus) in [(256, 1), (262_144, 128)] {
            let body = """
                {"config": {"image": "i", "env": \(Self.env), "guest": {"memory_mb": \(memory), "cpus": \(cpus)}}}
                """
            #expect(refusal(body) == nil)
        }
    }

    @Test func `a name has at most 63 characters, and a body 65,536 bytes`() {
        func body(_ name: String) -> String {
            #"{"name": "\#(name)", "config": {"image": "i", "env": \#(Self.env)}}"#
        }
        #expect(refusal(body(String(repeating: "a", count: 63))) == nil)
        #expect(refusal(body(String(repeating: "a", count: 64)))?.status == 422)
        #expect(refusal(String(repeating: " ", count: 65_537))?.status == 413)
    }
}
