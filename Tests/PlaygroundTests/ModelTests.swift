import Foundation
import PlaygroundFace
import PorterHTTP
import Testing

@testable import PlaygroundModel

@Suite struct ModelTests {
    private let log: RecordLog
    private let model: Model

    init() throws {
        log = try RecordLog(file: nil)
        model = Model(key: "sk-right", script: Script(), log: log)
    }

    private func post(_ path: String, _ body: JSON, key: String? = "sk-right") -> Response {
        var request = Request(method: "POST", target: path, body: body.data)
        if let key { request.fields["Authorization"] = "Bearer \(key)" }
        return model.answer(request)
    }

    private func body(_ response: Response) -> JSON { JSON(response.body) ?? .null }

    /// The data of a stream's events, after a check of its form.
    private func events(_ response: Response) throws -> [JSON] {
        #expect(response.fields["Content-Type"] == "text/event-stream")
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(text.hasSuffix("\n\n"))
        return try text.components(separatedBy: "\n\n").dropLast().map { block in
            let lines = block.split(separator: "\n", maxSplits: 1)
            let data = try #require(lines.last?.hasPrefix("data: ") == true ? lines.last?.dropFirst(6) : nil)
            let event = try #require(JSON(Data(data.utf8)))
            #expect(lines.first == "event: \(event["type"].string ?? "")")
            return event
        }
    }

    // MARK: - codex

    private let tools: JSON = [["type": "function", "name": "exec_command"]]

    @Test func `codex is asked for the command, then told the final text with usage`() throws {
        let first = try events(
            post("/v1/responses", ["model": "m", "stream": true, "tools": tools, "input": []]))
        let call = try #require(first.first { $0["type"] == "response.output_item.done" })["item"]
        #expect(call["type"] == "function_call")
        let arguments = try #require(JSON(Data((call["arguments"].string ?? "").utf8)))
        #expect(arguments["cmd"].string == Script.greetingCommand)

        let second = try events(
            post(
                "/v1/responses",
                [
                    "model": "m", "stream": true, "tools": tools,
                    "input": [["type": "function_call_output", "output": "Hello, world!\n"]],
                ]))
        let message = try #require(second.first { $0["type"] == "response.output_item.done" })["item"]
        #expect(message["content"].array.first?["text"].string?.hasPrefix("I added `greet.sh`") == true)
        let usage = second.last?["response"]["usage"] ?? .null
        #expect(usage["input_tokens"] == .integer(Dialect.inputTokens))
        #expect(usage["output_tokens"] == .integer(Dialect.outputTokens))
    }

    @Test func `a model that gets JavaScript only is given a script that runs the command`() throws {
        let offered: JSON = [
            "type": "additional_tools",
            "tools": [
                ["type": "namespace", "name": "functions", "tools": [["type": "custom", "name": "exec"]]]
            ],
        ]
        let answer = body(post("/v1/responses", ["model": "m", "input": [offered]]))
        let item = answer["output"].array.first ?? .null
        #expect(item["type"] == "custom_tool_call")
        #expect(item["input"].string?.contains("tools.exec_command({\"cmd\":") == true)
    }

    // MARK: - claude

    @Test func `claude is asked for the command, then told the final text with usage`() throws {
        let call: JSON = [
            "model": "c", "stream": true, "tools": [["name": "Bash"]],
            "messages": [["role": "user", "content": "hello"]],
        ]
        let first = try events(post("/v1/messages?beta=true", call))
        let delta = try #require(first.first { $0["type"] == "content_block_delta" })["delta"]
        let input = try #require(JSON(Data((delta["partial_json"].string ?? "").utf8)))
        #expect(input["command"].string == Script.greetingCommand)

        var again = call
        again["messages"] = [
            ["role": "user", "content": [["type": "tool_result", "content": "Hello, world!"]]]
        ]
        let second = try events(post("/v1/messages", again))
        #expect(second.contains { $0["delta"]["text"].string?.hasPrefix("I added `greet.sh`") == true })
        #expect(second.contains { $0["delta"]["stop_reason"] == "end_turn" })
        #expect(second.contains { $0["usage"]["output_tokens"] == .integer(Dialect.outputTokens) })
    }

    @Test func `a call without a stream gets one whole answer`() {
        let answer = body(
            post("/v1/messages", ["model": "c", "tools": [["name": "Bash"]], "messages": []]))
        #expect(answer["content"].array.first?["name"] == "Bash")
        #expect(answer["stop_reason"] == "tool_use")
    }

    // MARK: - honesty

    @Test func `the default final text claims nothing that the command's output does not show`() {
        let script = Script()
        #expect(script.lastWords("Hello, world!\n").hasPrefix("I added"))
        #expect(script.lastWords("Permission denied").contains("did not print"))
    }

    @Test func `without a tool that runs commands nothing is claimed to be done`() {
        let answer = body(post("/v1/messages", ["model": "c", "messages": []]))
        #expect(answer["content"].array.first?["text"].string?.contains("nothing was done") == true)
    }

    // MARK: - failures

    @Test(arguments: [nil, "sk-wrong"])
    func `a wrong or missing key is 401 in the provider's own form`(key: String?) {
        let openAI = post("/v1/responses", ["model": "m"], key: key)
        #expect(openAI.status == 401)
        #expect(body(openAI)["error"]["code"] == "invalid_api_key")
        let anthropic = post("/v1/messages", ["model": "m"], key: key)
        #expect(anthropic.status == 401)
        #expect(body(anthropic)["error"]["type"] == "authentication_error")
        #expect(log.records.allSatisfy { $0["key_ok"] == false })
    }

    @Test func `Anthropic's own key header opens as well`() {
        let request = Request(
            method: "POST", target: "/v1/messages", fields: ["x-api-key": "sk-right"],
            body: JSON.object(["model": "m"]).data)
        #expect(model.answer(request).status == 200)
    }

    @Test(arguments: [429, 500, 503, 529])
    func `a scripted status fails every call in the provider's own form`(status: Int) {
        #expect(post("/_playground/script", ["status": .integer(Int64(status))]).status == 204)
        for path in ["/v1/responses", "/v1/messages"] {
            let answer = post(path, ["model": "m"])
            #expect(answer.status == status)
            #expect(body(answer)["error"]["message"].string?.isEmpty == false)
        }
    }

    @Test func `a used-up account is told as each provider tells it`() {
        _ = post("/_playground/script", ["fault": "quota"])
        let openAI = post("/v1/responses", ["model": "m"])
        #expect(openAI.status == 429)
        #expect(body(openAI)["error"]["code"] == "insufficient_quota")
        let anthropic = post("/v1/messages", ["model": "m"])
        #expect(anthropic.status == 400)
        #expect(body(anthropic)["error"]["message"].string?.contains("credit balance is too low") == true)
    }

    // MARK: - script, log, command line

    @Test func `a script changes what it names, and null brings the default back`() {
        _ = post("/_playground/script", ["command": "true", "final": "Nothing."])
        let call: JSON = [
            "model": "m", "tools": tools, "input": [["type": "function_call_output", "output": ""]],
        ]
        #expect(
            body(post("/v1/responses", call))["output"].array.first?["content"].array.first?["text"]
                == "Nothing.")
        _ = post("/_playground/script", ["final": nil])
        #expect(
            body(post("/v1/responses", call))["output"].array.first?["content"].array.first?["text"]
                != "Nothing.")
    }

    @Test(arguments: [#"{"comand":"x"}"#, #"{"status":200}"#, #"{"delay":-1}"#, #"{"fault":"?"}"#, "[]"])
    func `a script with a mistake changes nothing and is told`(text: String) throws {
        let mistake = try #require(JSON(Data(text.utf8)))
        let answer = post("/_playground/script", mistake)
        #expect(answer.status == 422)
        #expect(body(answer)["error"].string?.isEmpty == false)
        #expect(post("/v1/responses", ["model": "m"]).status == 200)
    }

    @Test func `what came is listed with its size and model and never with the key`() throws {
        let file = "/tmp/porter-model-\(UInt32.random(in: 0 ... .max)).log"
        defer { unlink(file) }
        let model = Model(key: "sk-right", script: Script(), log: try RecordLog(file: file))
        let request = Request(
            method: "POST", target: "/v1/responses", fields: ["Authorization": "Bearer sk-right"],
            body: JSON.object(["model": "m-1"]).data)
        _ = model.answer(request)

        let listed = model.answer(Request(method: "GET", target: "/_playground/requests"))
        let record = JSON(listed.body)?["requests"].array.first ?? .null
        #expect(record["path"] == "/v1/responses")
        #expect(record["model"] == "m-1")
        #expect(record["key_ok"] == true)
        #expect(record["bytes"] == .integer(Int64(request.body.count)))
        let written = try String(contentsOfFile: file, encoding: .utf8)
        #expect(written == record.text + "\n")
        #expect(!written.contains("sk-right"))
    }

    @Test(arguments: [
        [], ["--key"], ["--key", "k", "--port", "70000"], ["--key", "k", "--status", "200"],
        ["--key", "k", "--colour", "red"], ["--key", "k", "--fault", "none"], ["--key=k", "more"],
    ])
    func `a wrong command line is refused with words`(arguments: [String]) {
        let error = #expect(throws: UsageError.self) {
            let options = try Options(
                arguments, valued: ["port", "key", "command", "final", "status", "fault", "delay", "log"])
            _ = try options.number("port", within: 0...UInt16.max)
            _ = try options.needed("key")
            _ = try Script(options)
        }
        #expect(error?.description.contains("--") == true || error?.description.contains("\"") == true)
    }
}
