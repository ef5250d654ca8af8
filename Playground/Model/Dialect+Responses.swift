import PlaygroundFace

extension Dialect {
    /// OpenAI's Responses API, as codex speaks it.
    ///
    /// Codex offers different tools for different models: 0.163.0 offers `exec_command` to models that it does
    /// not know, and to its own default model only `exec`, which takes JavaScript that calls `exec_command`
    /// and needs the program `codex-code-mode-host` beside `codex`.
    ///
    /// - SeeAlso: <https://platform.openai.com/docs/api-reference/responses-streaming>
    static let responses = Dialect(
        read: { body in
            let outputs = body["input"].array.filter { $0["type"].string?.hasSuffix("_call_output") == true }
            return Call(
                model: body["model"].string ?? "",
                tools: names(
                    of: body["tools"].array + body["input"].array.flatMap { $0["tools"].array }),
                result: outputs.isEmpty
                    ? nil : outputs.map { Self.words($0["output"]) }.joined(separator: "\n"),
                isStreamed: body["stream"].bool ?? false)
        },
        canRun: { call in Self.toolCall("", call.tools) != nil },
        events: { move, call, number in
            let item = Self.item(move, call, number)
            var events: [JSON] = [
                ["type": "response.created", "response": Self.response([], call, number, "in_progress")],
                ["type": "response.output_item.added", "output_index": 0, "item": item],
            ]
            if case .say(let text) = move {
                events.append([
                    "type": "response.output_text.delta", "item_id": item["id"], "output_index": 0,
                    "content_index": 0, "delta": .string(text),
                ])
            }
            events += [
                ["type": "response.output_item.done", "output_index": 0, "item": item],
                ["type": "response.completed", "response": Self.response([item], call, number, "completed")],
            ]
            for index in events.indices { events[index]["sequence_number"] = .integer(Int64(index)) }
            return events
        },
        whole: { move, call, number in
            Self.response([Self.item(move, call, number)], call, number, "completed")
        },
        failure: { fault in
            switch fault {
            case .quota:
                return (
                    429,
                    Self.error(
                        "You exceeded your current quota, please check your plan and billing details.",
                        "insufficient_quota", "insufficient_quota")
                )
            case .context:
                return (
                    400,
                    Self.error(
                        "Your input exceeds the context window of this model. Please adjust your input and "
                            + "try again.", "invalid_request_error", "context_length_exceeded")
                )
            case .status(401):
                return (
                    401,
                    Self.error(
                        "Incorrect API key provided. You can find your API key at "
                            + "https://platform.openai.com/account/api-keys.", "invalid_request_error",
                        "invalid_api_key")
                )
            case .status(429):
                return (
                    429,
                    Self.error(
                        "Rate limit reached for requests per minute. Please try again in 1s.", "requests",
                        "rate_limit_exceeded")
                )
            case .status(let status) where status >= 500:
                return (
                    status,
                    Self.error(
                        "The server had an error while processing your request. Sorry about that!",
                        "server_error", nil)
                )
            case .status(let status):
                return (status, Self.error("The request was refused.", "invalid_request_error", nil))
            }
        })

    private static func item(_ move: Move, _ call: Call, _ number: Int) -> JSON {
        var item: JSON
        switch move {
        case .command(let command):
            item = toolCall(command, call.tools) ?? [:]
            item["id"] = .string("item_\(number)")
            item["call_id"] = .string("call_\(number)")
        case .say(let text):
            item = [
                "type": "message", "id": .string("msg_\(number)"), "role": "assistant",
                "content": [["type": "output_text", "text": .string(text), "annotations": []]],
            ]
        }
        item["status"] = "completed"
        return item
    }

    /// The item that calls a tool to run the command, nil when the agent offers none of those that are known.
    private static func toolCall(_ command: String, _ tools: Set<String>) -> JSON? {
        let cmd = JSON.string(command)
        func function(_ name: JSON, _ arguments: JSON) -> JSON {
            ["type": "function_call", "name": name, "arguments": .string(arguments.text)]
        }
        if tools.contains("exec_command") { return function("exec_command", ["cmd": cmd]) }
        if tools.contains("shell_command") { return function("shell_command", ["command": cmd]) }
        if tools.contains("shell") { return function("shell", ["command": ["bash", "-lc", cmd]]) }
        guard tools.contains("exec") else { return nil }
        let script =
            "const result = await tools.exec_command(\((["cmd": cmd] as JSON).text));\n"
            + "text(JSON.stringify(result));"
        return ["type": "custom_tool_call", "name": "exec", "input": .string(script)]
    }

    /// The names of tools, those in namespaces included.
    private static func names(of tools: [JSON]) -> Set<String> {
        var names: Set<String> = []
        for tool in tools {
            if let name = tool["name"].string { names.insert(name) }
            names.formUnion(self.names(of: tool["tools"].array))
        }
        return names
    }

    private static func response(
        _ output: [JSON], _ call: Call, _ number: Int, _ status: JSON
    ) -> JSON {
        var response: JSON = [
            "id": .string("resp_\(number)"), "object": "response", "status": status,
            "model": .string(call.model), "output": .array(output),
        ]
        if !output.isEmpty {
            response["usage"] = [
                "input_tokens": .integer(inputTokens), "output_tokens": .integer(outputTokens),
                "total_tokens": .integer(inputTokens + outputTokens),
                "input_tokens_details": ["cached_tokens": 0],
                "output_tokens_details": ["reasoning_tokens": 0],
            ]
        }
        return response
    }

    private static func error(_ message: String, _ type: JSON, _ code: JSON) -> JSON {
        ["error": ["message": .string(message), "type": type, "param": nil, "code": code]]
    }

    /// The text of a tool's result: a string, or blocks of text.
    static func words(_ result: JSON) -> String {
        result.string ?? result.array.compactMap { $0["text"].string }.joined(separator: "\n")
    }
}
