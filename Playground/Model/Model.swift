import FoundationEssentials
import Glibc
import PlaygroundFace
import PorterHTTP
import Synchronization

/// Answers the calls of agent CLIs.
final class Model: Sendable {
    private let key: String
    private let log: RecordLog
    private let state: Mutex<(script: Script, answers: Int)>

    init(key: String, script: Script, log: RecordLog) {
        self.key = key
        self.log = log
        state = Mutex((script, 0))
    }

    /// Answers one request; a delay of the script holds the calling thread.
    @Sendable func answer(_ request: Request) -> Response {
        switch (request.method, request.path) {
        case ("POST", "/_playground/script"): return change(request)
        case ("GET", "/_playground/requests"): return .json(200, ["requests": .array(log.records)])
        case ("GET", "/v1/models"): return list(request)
        case ("POST", "/v1/responses"): return call(request, .responses)
        case ("POST", "/v1/messages"): return call(request, .messages)
        case ("POST", "/v1/messages/count_tokens"):
            guard accepts(request) else { return refuse(request, .messages) }
            record(request, isKeyRight: true, model: JSON(request.body)?["model"] ?? nil, status: 200)
            return .json(200, ["input_tokens": .integer(Dialect.inputTokens)])
        default:
            record(request, isKeyRight: accepts(request), model: nil, status: 404)
            return .json(404, ["error": ["message": "The model is not scripted for this path."]])
        }
    }

    /// The list of models, in the dialect of whoever asks; a planted fault spoils it like any other call.
    private func list(_ request: Request) -> Response {
        let isAnthropic = request.fields["anthropic-version"] != nil
        let dialect: Dialect = isAnthropic ? .messages : .responses
        guard accepts(request) else { return refuse(request, dialect) }
        if isAnthropic, request.fields["x-api-key"] == nil, request.fields["Authorization"] == nil {
            return refuse(request, dialect)
        }
        if let fault = state.withLock({ $0.script.fault }) { return fail(request, dialect, fault) }
        record(request, isKeyRight: true, model: nil, status: 200)
        let model: JSON =
            isAnthropic
            ? [
                "type": "model", "id": "playground", "display_name": "Playground",
                "created_at": "2026-01-01T00:00:00Z",
            ]
            : ["object": "model", "id": "playground", "created": 1_767_225_600, "owned_by": "playground"]
        return .json(
            200,
            isAnthropic
                ? ["data": [model], "has_more": false, "first_id": "playground", "last_id": "playground"]
                : ["object": "list", "data": [model]])
    }

    private func change(_ request: Request) -> Response {
        guard let body = JSON(request.body) else { return .json(400, ["error": "the body is no JSON"]) }
        if let problem = state.withLock({ $0.script.change(body) }) {
            return .json(422, ["error": .string(problem)])
        }
        return Response(status: 204)
    }

    private func call(_ request: Request, _ dialect: Dialect) -> Response {
        guard accepts(request) else { return refuse(request, dialect) }
        guard let body = JSON(request.body), body.object != nil else {
            return fail(request, dialect, .status(400))
        }
        let (script, number) = state.withLock { state in
            state.answers += 1
            return (state.script, state.answers)
        }
        if script.delay > 0 { usleep(UInt32(script.delay * 1_000_000)) }
        if let fault = script.fault { return fail(request, dialect, fault, body["model"]) }
        let call = dialect.read(body)
        let move = dialect.move(call, script)
        record(request, isKeyRight: true, model: body["model"], status: 200)
        guard call.isStreamed else { return .json(200, dialect.whole(move, call, number)) }
        let events = dialect.events(move, call, number).map { event in
            "event: \(event["type"].string ?? "message")\ndata: \(event.text)\n\n"
        }
        // The whole stream in one piece, which both programs accept.
        return Response(
            status: 200, fields: ["Content-Type": "text/event-stream"], body: Data(events.joined().utf8))
    }

    private func refuse(_ request: Request, _ dialect: Dialect) -> Response {
        let (status, body) = dialect.failure(.status(401))
        record(request, isKeyRight: false, model: JSON(request.body)?["model"] ?? nil, status: status)
        return .json(status, body)
    }

    private func fail(
        _ request: Request, _ dialect: Dialect, _ fault: Fault, _ model: JSON = nil
    ) -> Response {
        let (status, body) = dialect.failure(fault)
        record(request, isKeyRight: true, model: model, status: status)
        return .json(status, body)
    }

    /// Whether the caller brought the key, as a bearer token or as Anthropic's programs do.
    private func accepts(_ request: Request) -> Bool {
        request.fields["x-api-key"] == key || request.fields["Authorization"] == "Bearer \(key)"
    }

    private func record(_ request: Request, isKeyRight: Bool, model: JSON, status: Int) {
        log.append([
            "method": .string(request.method), "path": .string(request.path),
            "bytes": .integer(Int64(request.body.count)), "key_ok": .bool(isKeyRight), "model": model,
            "status": .integer(Int64(status)),
        ])
    }
}
