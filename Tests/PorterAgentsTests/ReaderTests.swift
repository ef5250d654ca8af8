import Foundation
import Porter
import PorterTestSupport
import Testing

@testable import PorterAgents

@Suite struct RecordedReaderTests {
    private func read(_ agent: String, _ file: String) throws -> AgentReport {
        try report(agent, [UInt8](Fixtures.data("agents/" + file)))
    }

    @Test(.needsFixtures) func `claude's stream gives last words, tokens and cost`() throws {
        let report = try read("claude", "claude-2.1.330-stream-json.jsonl")
        #expect(report.finalText == "All done.")
        #expect(report.usage == Usage(inputTokens: 2000, outputTokens: 100, costUSD: 0.01))
        #expect(report.failure == nil)
    }

    @Test(
        .needsFixtures,
        arguments: [
            ("result-e400", Reason.providerQuota), ("result-e529", .providerOverloaded),
            ("result-nokey", .providerKeyMissing), ("result-budget", .agentFailed),
            ("result-maxturn", .agentFailed),
        ])
    func `claude's failures have reasons`(file: String, reason: Reason) throws {
        let report = try read("claude", "claude-2.1.330-\(file).json")
        #expect(report.failure == reason)
        #expect(report.failureText?.isEmpty == false)
    }

    @Test(.needsFixtures) func `a denied tool is no failure of claude's`() throws {
        let report = try read("claude", "claude-2.1.330-result-noperm.json")
        #expect(report.failure == nil)
        #expect(report.finalText?.isEmpty == false)
    }

    @Test(.needsFixtures, arguments: ["exec-json", "xro"])
    func `codex's stream gives last words and tokens, and its warnings are none`(file: String) throws {
        let report = try read("codex", "codex-0.163.0-\(file).jsonl")
        #expect(report.finalText == "All done.")
        #expect(report.usage == Usage(inputTokens: 2000, outputTokens: 100))
        #expect(report.failure == nil)
    }

    @Test(
        .needsFixtures,
        arguments: [
            ("x400", Reason.providerQuota), ("x401", .providerAuth), ("x529", .providerOverloaded),
            ("xnokey", .providerKeyMissing),
        ])
    func `codex's failures have reasons`(file: String, reason: Reason) throws {
        let report = try read("codex", "codex-0.163.0-\(file).jsonl")
        #expect(report.failure == reason)
        #expect(report.failureText?.isEmpty == false)
    }

    @Test(.needsFixtures) func `all recordings are read in pieces of any size alike, cut anywhere`() throws {
        let files = Fixtures.names(in: "agents")
        #expect(files.count >= 13)
        for file in files {
            let agent = String(file.prefix { $0 != "-" })
            let bytes = try [UInt8](Fixtures.data("agents/" + file))
            let whole = try report(agent, bytes)
            for size in [1, 7, 4096] {
                var reader = try reader(agent)
                for start in stride(from: 0, to: bytes.count, by: size) {
                    reader.read(bytes[start..<min(start + size, bytes.count)])
                }
                #expect(reader.finish() == whole)
            }
            // Cut within its last line, it ends without that line.
            for cut in stride(from: 0, to: bytes.count, by: 97) {
                _ = try report(agent, Array(bytes[..<cut]))
            }
        }
    }
}

@Suite struct ReaderTests {
    @Test(arguments: [
        (
            "claude",
            #"{"type":"assistant","message":{"content":[{"type":"text","text":"one"},{"type":"tool_use"},{"type":"text","text":"two"}]}}"#,
            "one\ntwo"
        ),
        ("claude", #"{"type":"result","subtype":"success","is_error":false,"result":"the end"}"#, "the end"),
        ("codex", #"{"type":"item.completed","item":{"type":"agent_message","text":"the end"}}"#, "the end"),
        ("opencode", #"{"type":"text","part":{"type":"text","text":"the end"}}"#, "the end"),
        ("amp", #"{"type":"assistant","message":{"content":[{"type":"text","text":"the end"}]}}"#, "the end"),
        ("amp", #"{"type":"result","subtype":"success","is_error":false,"result":"the end"}"#, "the end"),
        ("gemini", #"{"type":"message","role":"assistant","content":"the end"}"#, "the end"),
        ("demo", "first\nthe end", "first\nthe end"),
    ])
    func `the agent's last words are its final text`(agent: String, line: String, text: String) throws {
        #expect(try report(agent, line).finalText == text)
        #expect(try report(agent, line + "\r\n").finalText == text)
        #expect(try report(agent, line).failure == nil)
    }

    @Test func `gemini's pieces of one message are put together`() throws {
        let stream = """
            {"type":"init","session_id":"1","model":"m"}
            {"type":"message","role":"user","content":"do it"}
            {"type":"message","role":"assistant","content":"I look.","delta":true}
            {"type":"tool_use","tool_name":"x","tool_id":"1","parameters":{}}
            {"type":"tool_result","tool_id":"1","status":"success","output":"x"}
            {"type":"message","role":"assistant","content":"All ","delta":true}
            {"type":"message","role":"assistant","content":"done.","delta":true}
            {"type":"result","status":"success","stats":{"total_tokens":30,"input_tokens":20,"output_tokens":10}}
            """
        let report = try report("gemini", stream)
        #expect(report.finalText == "All done.")
        #expect(report.usage == Usage(inputTokens: 20, outputTokens: 10))
        #expect(report.failure == nil)
    }

    @Test func `opencode's steps are added up`() throws {
        let stream = """
            {"type":"step_start","part":{"type":"step-start"}}
            {"type":"step_finish","part":{"cost":0.25,"tokens":{"input":10,"output":5,"reasoning":0}}}
            {"type":"text","part":{"text":"done"}}
            {"type":"step_finish","part":{"cost":0.5,"tokens":{"input":20,"output":7,"reasoning":0}}}
            """
        #expect(
            try report("opencode", stream).usage == Usage(inputTokens: 30, outputTokens: 12, costUSD: 0.75))
    }

    @Test func `codex's turns are added up, and a turn that went well ends an earlier failure`() throws {
        let stream = """
            {"type":"turn.failed","error":{"message":"unexpected status 529"}}
            {"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":2}}
            {"type":"turn.completed","usage":{"input_tokens":10,"output_tokens":20}}
            """
        let report = try report("codex", stream)
        #expect(report.usage == Usage(inputTokens: 11, outputTokens: 22))
        #expect(report.failure == nil)
        #expect(report.failureText == nil)
    }

    @Test(arguments: [
        (
            "claude",
            #"{"type":"result","subtype":"success","is_error":true,"api_error_status":401,"result":"Failed to authenticate"}"#,
            Reason.providerAuth
        ),
        ("claude", #"{"type":"result","is_error":true,"api_error_status":403,"result":"x"}"#, .providerAuth),
        (
            "claude", #"{"type":"result","is_error":true,"api_error_status":429,"result":"x"}"#,
            .providerOverloaded
        ),
        (
            "claude", #"{"type":"result","is_error":true,"api_error_status":500,"result":"x"}"#,
            .providerOverloaded
        ),
        ("claude", #"{"type":"result","is_error":true,"result":"Prompt is too long"}"#, .contextTooLong),
        (
            "claude",
            #"{"type":"result","subtype":"error_max_turns","is_error":true,"errors":["Reached maximum number of turns (1)"]}"#,
            .agentFailed
        ),
        ("claude", #"{"type":"result","subtype":"error_during_execution","is_error":true}"#, .agentFailed),
        (
            "claude",
            #"{"type":"result","is_error":true,"api_error_status":529,"result":"x","usage":{"input_tokens":0.5},"errors":[{"a":1}]}"#,
            .providerOverloaded
        ),
        (
            "codex",
            #"{"type":"turn.failed","error":{"message":"exceeded retry limit, last status: 429 Too Many Requests"}}"#,
            .providerOverloaded
        ),
        (
            "codex",
            #"{"type":"turn.failed","error":{"message":"You exceeded your current quota, please check your plan"}}"#,
            .providerQuota
        ),
        (
            "codex",
            #"{"type":"turn.failed","error":{"message":"bad status line; unexpected status 401 Unauthorized"}}"#,
            .providerAuth
        ),
        ("codex", #"{"type":"turn.failed"}"#, .agentFailed),
        (
            "opencode",
            #"{"type":"error","error":{"name":"ProviderAuthError","data":{"message":"invalid x-api-key"}}}"#,
            .providerAuth
        ),
        (
            "opencode", #"{"type":"error","error":{"name":"UnknownError","data":{"message":"boom"}}}"#,
            .agentFailed
        ),
        ("opencode", #"{"type":"error"}"#, .agentFailed),
        (
            "amp",
            #"{"type":"result","subtype":"error_during_execution","is_error":true,"error":"Unauthorized"}"#,
            .providerAuth
        ),
        (
            "amp", #"{"type":"result","is_error":true,"error":"Out of credits: payment required"}"#,
            .providerQuota
        ),
        (
            "gemini",
            #"{"type":"result","status":"error","error":{"type":"Error","message":"You exceeded your current quota"}}"#,
            .providerQuota
        ),
        (
            "gemini",
            #"{"type":"result","status":"error","error":{"type":"FatalTurnLimitedError","message":"Reached max session turns"}}"#,
            .agentFailed
        ),
    ])
    func `a failure has the reason that it speaks of`(agent: String, line: String, reason: Reason) throws {
        let report = try report(agent, line)
        #expect(report.failure == reason)
        #expect(report.failureText?.isEmpty == false)
    }

    @Test func `what the agent said while it worked is kept when it fails`() throws {
        let stream = """
            {"type":"assistant","message":{"content":[{"type":"text","text":"I changed a.txt."}]}}
            {"type":"result","is_error":true,"api_error_status":529,"result":"Overloaded"}
            """
        let report = try report("claude", stream)
        #expect(report.finalText == "I changed a.txt.")
        #expect(report.failure == .providerOverloaded)
    }

    @Test(arguments: [
        "", "\n\n\n", "garbage", "{", "[]", "null", "42", "\"x\"", "{}", #"{"type":null}"#, #"{"type":7}"#,
        #"{"type":"result"}"#, #"{"type":"assistant","message":{"content":"text"}}"#,
        #"{"type":"assistant","message":null}"#, #"{"type":"error","message":"Reconnecting... 1/1"}"#,
        #"{"type":"item.completed","item":{"type":"error","message":"only a warning"}}"#,
        #"{"type":"user","message":{"content":[{"type":"tool_result","content":"x","is_error":true}]}}"#,
        "\u{FEFF}{\"type\":\"x\"}", "\0\0\0",
    ])
    func `garbage, warnings and unknown events say nothing`(line: String) throws {
        for agent in ["claude", "codex"] { #expect(try report(agent, line).failure == nil, "\(agent)") }
        for agent in ["opencode", "claude", "codex", "amp", "gemini", "demo"] {
            let good = try report(agent, line + "\n" + Self.goodLine(agent) + "\n" + line)
            #expect(good.finalText?.contains("fine") == true, "\(agent)")
        }
    }

    private static func goodLine(_ agent: String) -> String {
        switch agent {
        case "codex": #"{"type":"item.completed","item":{"type":"agent_message","text":"fine"}}"#
        case "opencode": #"{"type":"text","part":{"text":"fine"}}"#
        case "gemini": #"{"type":"message","role":"assistant","content":"fine"}"#
        case "demo": "fine"
        default: #"{"type":"assistant","message":{"content":[{"type":"text","text":"fine"}]}}"#
        }
    }

    @Test func `bytes that are no UTF-8 harm only their own line`() throws {
        let bytes = [0xFF, 0xFE, 0x0A] + Array(Self.goodLine("claude").utf8) + [0x0A, 0xC3, 0x28]
        #expect(try report("claude", bytes).finalText == "fine")
    }

    @Test func `a line over the limit is left out, and the next one is read`() throws {
        let most = OutputReader.maximumLine
        func line(_ length: Int) -> String {
            let frame = #"{"type":"assistant","message":{"content":[{"type":"text","text":""}]}}"#
            return frame.replacing(
                "\"\"", with: "\"" + String(repeating: "x", count: length - frame.utf8.count) + "\"")
        }
        #expect(try report("claude", line(most)).finalText?.first == "x")
        #expect(try report("claude", line(most + 1)).finalText == nil)
        #expect(try report("claude", line(3 * most) + "\n" + Self.goodLine("claude")).finalText == "fine")
        #expect(try report("claude", Self.goodLine("claude") + "\n" + line(3 * most)).finalText == "fine")
    }

    @Test func `plain text keeps its last twenty lines`() throws {
        let text = (1...50).map { "line \($0)" }.joined(separator: "\n")
        #expect(
            try report("demo", text).finalText == (31...50).map { "line \($0)" }.joined(separator: "\n"))
        #expect(try report("demo", "").finalText == nil)
    }
}

/// A fresh reader of the agent's output.
private func reader(_ agent: String) throws -> OutputReader {
    try #require(AgentCatalog.standard(demo: "/opt/demo").find(agent)).reader()
}

private func report(_ agent: String, _ bytes: [UInt8]) throws -> AgentReport {
    var reader = try reader(agent)
    reader.read(bytes)
    return reader.finish()
}

private func report(_ agent: String, _ text: String) throws -> AgentReport {
    try report(agent, Array(text.utf8))
}
