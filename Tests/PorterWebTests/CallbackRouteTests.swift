import Foundation
import Porter
import PorterHTTP
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWeb

/// `public/openapi.json`: what workers send, absurd things included, and what they are answered.
@Suite struct CallbackRouteTests {
    @Test func `a worker goes its whole way over HTTP`() throws {
        let scene = try Scene()
        let (id, machine) = try scene.started()

        let claim = scene.callback("claim", machine, ["nonce": "nonce-0001", "protocol": 1, "version": "1"])
        #expect(claim.status == 200)
        #expect(claim.fields["Cache-Control"] == "no-store")
        let token = try #require(claim.object["callback_token"] as? String)
        let phases: [(String, Bool)] = [("clone", true), ("setup", true), ("agent", true), ("saving", true)]
        for (phase, goesOn) in phases {
            let answer = scene.callback("progress", token, ["phase": phase])
            #expect(answer.status == 200)
            #expect(Set(answer.object.keys) == ["continue", "reason"])
            #expect(answer.object["continue"] as? Bool == goesOn)
            #expect(answer.object["reason"] is NSNull)
        }
        let credential = scene.callback("credential", token, ["purpose": "push"])
        #expect(Set(credential.object.keys) == ["username", "token", "expires_at"])
        let complete = scene.callback("complete", token, ["task_id": id.rawValue, "status": "complete"])
        #expect(complete.status == 200)
        #expect(
            scene.callback("complete", token, ["task_id": id.rawValue, "status": "success"]).status == 200)
        #expect(
            scene.callback("complete", token, ["task_id": id.rawValue, "status": "failed"]).status == 409)
        try scene.world.live(seconds: 60)
        #expect(try scene.world.task(id).state == .success)
    }

    /// "A later report with another status: 409", and after the end "`complete` with the stored status 200".
    @Test func `a report of another status is refused before the end and after it, however the task ended`()
        throws
    {
        let scene = try Scene()
        let (id, token) = try scene.claimed()
        func complete(_ status: String) -> Int {
            let missing = String(repeating: "a", count: 40)
            let body = ["task_id": id.rawValue, "status": status, "head_sha": missing]
            return scene.callback("complete", token, body).status
        }
        #expect(complete("success") == 200)
        #expect(complete("failed") == 409)

        try scene.world.live(until: id)

        #expect(try scene.world.task(id).state == .failed)
        #expect(try scene.world.task(id).reason == .pushRejected)
        #expect(complete("success") == 200)
        #expect(complete("failed") == 409)
        #expect(complete("timed_out") == 409)
    }

    @Test func `without a report the task's own ending is the stored status`() throws {
        let scene = try Scene()
        let (id, token) = try scene.claimed()
        scene.world.advance(seconds: 3000)
        try scene.world.live(until: id)
        let state = try scene.world.task(id).state
        for status in ["success", "failed", "cancelled", "timed_out"] {
            let answer = scene.callback("complete", token, ["task_id": id.rawValue, "status": status])
            #expect(answer.status == (status == state.rawValue ? 200 : 409), "\(status)")
        }
    }

    @Test func `either header carries the token`() throws {
        let scene = try Scene()
        let (_, token) = try scene.claimed()
        let body = Scene.json(["phase": "clone"])
        for fields: Fields in [
            ["Authorization": "Bearer \(token)"], ["authorization": "bearer \(token)"],
            ["x-porter-callback-token": token],
        ] {
            #expect(scene.send("POST", "/api/callbacks/progress", fields, body).status == 200)
        }
    }

    @Test func `a gap in the log is told with what was expected`() throws {
        let scene = try Scene()
        let (_, token) = try scene.claimed()
        _ = scene.callback("progress", token, ["phase": "agent", "log": ["offset": 0, "text": "grüße"]])

        let gap = scene.callback("progress", token, ["phase": "agent", "log": ["offset": 99, "text": "x"]])

        #expect(gap.status == 409)
        #expect(gap.error == "log_offset")
        #expect(gap.object["expected"] as? Int == 7)
    }

    /// A body that no worker sends, and the field that the answer must name.
    private static let absurd: [(address: String, body: String, field: String?)] = [
        ("claim", #"{}"#, "nonce"), ("claim", #"{"nonce":1,"protocol":1}"#, "nonce"),
        ("claim", #"{"nonce":"12345678"}"#, "protocol"),
        ("claim", #"{"nonce":"12345678","protocol":"1"}"#, "protocol"),
        ("claim", #"{"nonce":"12345678","protocol":1.5}"#, "protocol"),
        ("claim", #"{"nonce":"12345678","protocol":1e30}"#, "protocol"),
        ("claim", #"{"nonce":"","protocol":1}"#, "nonce"),
        ("claim", #"{"nonce":"\#(String(repeating: "n", count: 257))","protocol":1}"#, "nonce"),
        ("claim", #"{"nonce":null,"protocol":1}"#, "nonce"),
        ("progress", #"{}"#, "phase"), ("progress", #"{"phase":"thinking"}"#, "phase"),
        ("progress", #"{"phase":"starting"}"#, "phase"), ("progress", #"{"phase":"publishing"}"#, "phase"),
        ("progress", #"{"phase":1}"#, "phase"),
        ("progress", #"{"phase":"agent","message":1}"#, "message"),
        ("progress", #"{"phase":"agent","log":"x"}"#, "log"),
        ("progress", #"{"phase":"agent","log":{"text":"x"}}"#, "log.offset"),
        ("progress", #"{"phase":"agent","log":{"offset":"0","text":"x"}}"#, "log.offset"),
        ("progress", #"{"phase":"agent","log":{"offset":-1,"text":"x"}}"#, "log.offset"),
        ("progress", #"{"phase":"agent","log":{"offset":9223372036854775807,"text":"x"}}"#, "log.offset"),
        ("progress", #"{"phase":"agent","log":{"offset":99999999999999999999,"text":"x"}}"#, "log.offset"),
        ("progress", #"{"phase":"agent","log":{"offset":0.5,"text":"x"}}"#, "log.offset"),
        ("progress", #"{"phase":"agent","log":{"offset":null,"text":"x"}}"#, "log.offset"),
        (
            "progress", #"{"phase":"agent","usage":{"input_tokens":10000000000000000000}}"#,
            "usage.input_tokens"
        ),
        ("progress", #"{"phase":"agent","usage":{"output_tokens":0.5}}"#, "usage.output_tokens"),
        ("progress", #"{"phase":"agent","log":{"offset":0,"text":7}}"#, "log.text"),
        ("progress", #"{"phase":"agent","usage":{"input_tokens":"many"}}"#, "usage.input_tokens"),
        ("progress", #"{"phase":"agent","usage":{"input_tokens":-1}}"#, "usage.input_tokens"),
        ("progress", #"{"phase":"agent","usage":{"cost_usd":-0.5}}"#, "usage.cost_usd"),
        ("progress", #"{"phase":"agent","usage":{"cost_usd":1e300}}"#, "usage.cost_usd"),
        ("progress", #"{"phase":"agent","usage":{"cost_usd":1e999}}"#, "usage.cost_usd"),
        ("credential", #"{}"#, "purpose"), ("credential", #"{"purpose":"clone"}"#, "purpose"),
        ("complete", #"{"status":"success"}"#, "task_id"), ("complete", #"{"task_id":"ID"}"#, "status"),
        ("complete", #"{"task_id":"nonsense","status":"success"}"#, "task_id"),
        ("complete", #"{"task_id":"ID","status":"great"}"#, "status"),
        ("complete", #"{"task_id":"ID","status":"failed","reason":"boredom"}"#, "reason"),
        ("complete", #"{"task_id":"ID","status":"failed","reason":"bad_command"}"#, "reason"),
        ("complete", #"{"task_id":"ID","status":"success","head_sha":"HEAD"}"#, "head_sha"),
        ("complete", #"{"task_id":"ID","status":"success","head_sha":""}"#, "head_sha"),
        ("complete", #"{"task_id":"ID","status":"success","exit_code":256}"#, "exit_code"),
        ("complete", #"{"task_id":"ID","status":"success","exit_code":"0"}"#, "exit_code"),
        ("complete", #"{"task_id":"ID","status":"success","exit_code":1.5}"#, "exit_code"),
        ("complete", #"{"task_id":"ID","status":"success","exit_code":100000000000000000000}"#, "exit_code"),
        ("complete", #"{"task_id":"ID","status":"success","usage":[]}"#, "usage"),
    ]

    @Test func `absurd fields are 4xx, named, and change nothing`() throws {
        let scene = try Scene()
        let (id, token) = try scene.claimed()
        let before = try scene.world.task(id)
        let attempt = try scene.world.store.findAttempt(id, 1)
        let machine = try #require(scene.world.engine.running.first?.token).reveal { $0 }

        for (address, text, field) in Self.absurd {
            let body = text.replacingOccurrences(of: "\"ID\"", with: "\"\(id.rawValue)\"")
            let response = scene.callback(
                address, address == "claim" ? machine : token, raw: Data(body.utf8))
            #expect((400..<500).contains(response.status), "\(address) \(text)")
            if let field {
                #expect(response.status == 422, "\(address) \(text)")
                #expect(response.message.contains("`\(field)`"), "\(text): \(response.message)")
            }
        }
        #expect(try scene.world.task(id) == before)
        #expect(try scene.world.store.findAttempt(id, 1) == attempt)
    }

    @Test func `bodies that are no JSON objects are 400, and large ones 413 or 422`() throws {
        let scene = try Scene()
        let (id, token) = try scene.claimed()
        let before = try scene.world.task(id)
        for name in ["progress", "credential", "complete"] {
            for raw in [
                Data(), Data("[]".utf8), Data("1".utf8), Data("\"x\"".utf8), Data("null".utf8),
                Data("{".utf8), Data([0x7B, 0xFF, 0xFE, 0x7D]),
                Data((#"{"phase":"# + String(repeating: "[", count: 100_000)).utf8),
                Data([0x22, 0xC3, 0x28, 0x22]),
            ] {
                #expect(scene.callback(name, token, raw: raw).status == 400, "\(name) \(raw.count)")
            }
        }
        let summary = String(repeating: "s", count: 10_000_000)
        let huge = scene.callback(
            "complete", token, ["task_id": id.rawValue, "status": "success", "summary": summary])
        #expect(huge.status == 413)
        let large = scene.callback(
            "complete", token,
            ["task_id": id.rawValue, "status": "success", "summary": String(summary.prefix(70_000))])
        #expect(large.status == 422)
        #expect(large.message.contains("`summary`"))
        let log = scene.callback(
            "progress", token,
            ["phase": "agent", "log": ["offset": 0, "text": String(summary.prefix(262_145))]])
        #expect(log.status == 422)
        #expect(try scene.world.task(id) == before)
    }

    @Test func `a body that was cut is 400`() throws {
        let scene = try Scene()
        let (_, token) = try scene.claimed()
        let response = scene.send(
            "POST", "/api/callbacks/progress", ["X-Porter-Callback-Token": token],
            Scene.json(["phase": "agent"]), state: .broken)
        #expect(response.status == 400)
    }

    @Test func `another version of the protocol is told which one is spoken`() throws {
        let scene = try Scene()
        let (id, machine) = try scene.started()
        let response = scene.callback("claim", machine, ["nonce": "nonce-0001", "protocol": 2])
        #expect(response.status == 409)
        #expect(response.error == "worker_outdated")
        #expect(try scene.world.store.findAttempt(id, 1)?.claimedAt == nil)
    }

    @Test func `an unknown task's callback is an error that the worker sees`() throws {
        let scene = try Scene()
        let body: [String: Any] = ["task_id": "task_01ARZ3NDEKTSV4RRFFQ69G5FAV", "status": "success"]
        #expect(scene.callback("complete", String(repeating: "a", count: 64), body).status == 401)
    }

    @Test func `a database that cannot be written is 503, so that the worker asks again`() throws {
        let scene = try Scene()
        let (id, token) = try scene.claimed()
        try scene.breakDatabase()
        #expect(scene.callback("progress", token, ["phase": "agent"]).status == 503)
        #expect(
            scene.callback("complete", token, ["task_id": id.rawValue, "status": "success"]).status == 503)
    }

    @Test(arguments: [1, 256])
    func `a nonce may have one byte, and 256`(length: Int) throws {
        let scene = try Scene()
        let (_, machine) = try scene.started()
        let nonce = String(repeating: "n", count: length)
        #expect(scene.callback("claim", machine, ["nonce": nonce, "protocol": 1]).status == 200)
    }

    @Test func `a number that is there is read as it is, and null is none`() throws {
        let scene = try Scene()
        let (id, token) = try scene.claimed()
        let raw = #"{"phase":"agent","usage":{"input_tokens":7,"output_tokens":null,"cost_usd":0.25}}"#
        #expect(scene.callback("progress", token, raw: Data(raw.utf8)).status == 200)
        #expect(try scene.world.task(id).usage == Usage(inputTokens: 7, costUSD: 0.25))
    }

    @Test(arguments: [
        ("failed", "not_permitted", Reason.agentFailed), ("failed", "cancelled_by_user", .agentFailed),
        ("failed", "no_changes", .agentFailed), ("failed", "pull_request_failed", .agentFailed),
        ("failed", "provider_quota", .providerQuota), ("failed", "push_rejected_rule", .pushRejectedRule),
        ("timed_out", "not_permitted", .timeout), ("timed_out", "stalled", .stalled),
        ("cancelled", "not_permitted", .cancelledByUser), ("cancelled", "issue_closed", .issueClosed),
    ])
    func `a reason that no worker can know is stored as the outcome's plain one`(
        status: String, said: String, stored: Reason
    ) throws {
        let scene = try Scene()
        let (id, token) = try scene.claimed()

        let response = scene.callback(
            "complete", token, ["task_id": id.rawValue, "status": status, "reason": said])

        #expect(response.status == 200)
        #expect(try scene.world.store.findAttempt(id, 1)?.report?.reason == stored)
    }

    @Test func `a success keeps no reason of a worker's but that nothing changed`() {
        #expect(Outcome.success.believable(.notPermitted) == nil)
        #expect(Outcome.success.believable(nil) == nil)
        #expect(Outcome.success.believable(.noChanges) == .noChanges)
    }

    @Test func `text with NUL in it is not cut there`() throws {
        let scene = try Scene()
        let (id, token) = try scene.claimed()
        let response = scene.callback(
            "complete", token, ["task_id": id.rawValue, "status": "success", "summary": "one\u{0}two"])
        #expect(response.status == 200)
        #expect(try scene.world.task(id).summary == "onetwo")
    }
}
