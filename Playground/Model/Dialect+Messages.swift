import PlaygroundFace

extension Dialect {
    /// Anthropic's Messages API, as claude speaks it.
    ///
    /// - SeeAlso: <https://docs.claude.com/en/api/messages-streaming>,
    ///   <https://docs.claude.com/en/api/errors>
    static let messages = Dialect(
        read: { body in
            let blocks = body["messages"].array.flatMap { $0["content"].array }
            let results = blocks.filter { $0["type"] == "tool_result" }
            return Call(
                model: body["model"].string ?? "",
                tools: Set(body["tools"].array.compactMap { $0["name"].string }),
                result: results.isEmpty
                    ? nil : results.map { words($0["content"]) }.joined(separator: "\n"),
                isStreamed: body["stream"].bool ?? false)
        },
        canRun: { $0.tools.contains("Bash") },
        events: { move, call, number in
            var message = Self.message([], call, number)
            message["usage"] = ["input_tokens": .integer(inputTokens), "output_tokens": 1]
            let block = Self.block(move, number)
            let (start, delta): (JSON, JSON) =
                switch move {
                case .command:
                    (
                        ["type": "tool_use", "id": block["id"], "name": "Bash", "input": [:]],
                        ["type": "input_json_delta", "partial_json": .string(block["input"].text)]
                    )
                case .say(let text):
                    (["type": "text", "text": ""], ["type": "text_delta", "text": .string(text)])
                }
            return [
                ["type": "message_start", "message": message],
                ["type": "content_block_start", "index": 0, "content_block": start],
                ["type": "content_block_delta", "index": 0, "delta": delta],
                ["type": "content_block_stop", "index": 0],
                [
                    "type": "message_delta",
                    "delta": ["stop_reason": Self.stopReason(move), "stop_sequence": nil],
                    "usage": ["output_tokens": .integer(outputTokens)],
                ],
                ["type": "message_stop"],
            ]
        },
        whole: { move, call, number in
            var message = Self.message([Self.block(move, number)], call, number)
            message["stop_reason"] = Self.stopReason(move)
            message["usage"] = [
                "input_tokens": .integer(inputTokens), "output_tokens": .integer(outputTokens),
            ]
            return message
        },
        failure: { fault in
            switch fault {
            case .quota:
                return (
                    400,
                    Self.error(
                        "invalid_request_error",
                        "Your credit balance is too low to access the Anthropic API. Please go to Plans & "
                            + "Billing to upgrade or purchase credits.")
                )
            case .context:
                return (
                    400,
                    Self.error(
                        "invalid_request_error", "prompt is too long: 200123 tokens > 200000 maximum")
                )
            case .status(401): return (401, Self.error("authentication_error", "invalid x-api-key"))
            case .status(403):
                return (
                    403,
                    Self.error(
                        "permission_error",
                        "Your API key does not have permission to use the specified resource.")
                )
            case .status(429):
                return (
                    429,
                    Self.error(
                        "rate_limit_error", "This request would exceed your account's rate limit.")
                )
            case .status(529): return (529, Self.error("overloaded_error", "Overloaded"))
            case .status(let status) where status >= 500:
                return (status, Self.error("api_error", "Internal server error"))
            case .status(let status):
                return (status, Self.error("invalid_request_error", "The request was refused."))
            }
        })

    private static func message(_ content: [JSON], _ call: Call, _ number: Int) -> JSON {
        [
            "id": .string("msg_\(number)"), "type": "message", "role": "assistant",
            "model": .string(call.model), "content": .array(content), "stop_reason": nil,
            "stop_sequence": nil,
        ]
    }

    private static func block(_ move: Move, _ number: Int) -> JSON {
        switch move {
        case .command(let command):
            [
                "type": "tool_use", "id": .string("toolu_\(number)"), "name": "Bash",
                "input": ["command": .string(command), "description": "Run the scripted command"],
            ]
        case .say(let text): ["type": "text", "text": .string(text)]
        }
    }

    private static func stopReason(_ move: Move) -> JSON {
        switch move {
        case .command: "tool_use"
        case .say: "end_turn"
        }
    }

    private static func error(_ type: JSON, _ message: String) -> JSON {
        ["type": "error", "error": ["type": type, "message": .string(message)]]
    }
}
