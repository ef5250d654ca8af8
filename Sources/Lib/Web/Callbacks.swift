import FoundationEssentials
import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// What workers say: `POST /api/callbacks/…`.
extension Site {
    /// Bytes of a callback's body at most.
    static var maximumCallback: Int { 1_048_576 }
    /// Bytes of log in one report at most.
    static var maximumLogText: Int { 262_144 }
    /// Bytes of a claim's nonce at most.
    static var maximumNonce: Int { 256 }
    /// Bytes of a report's message, reason or name at most.
    static var maximumWord: Int { 1024 }
    /// Bytes of an agent's last words at most.
    static var maximumSummary: Int { 65_536 }
    /// What a counter may reach: tokens, bytes.
    static var maximumCount: Int64 { 1 << 53 }

    static var callbackRoutes: [Route] {
        [
            callback("claim") { (site, exchange) throws(Failure) in try site.claim(exchange) },
            callback("progress") { (site, exchange) throws(Failure) in try site.progress(exchange) },
            callback("credential") { (site, exchange) throws(Failure) in try site.credential(exchange) },
            callback("complete") { (site, exchange) throws(Failure) in try site.complete(exchange) },
        ]
    }

    private static func callback(
        _ name: String, _ handle: @escaping @Sendable (Site, Exchange) throws(Failure) -> Response
    ) -> Route {
        Route("POST", "/api/callbacks/\(name)", .worker, maximumBody: maximumCallback) {
            (site, exchange) throws(Failure) in
            do throws(Failure) {
                return try handle(site, exchange)
            } catch {
                site.work.world.journal.record(
                    .info, "callback not taken",
                    [
                        "callback": name, "status": String(error.status), "error": error.code,
                        "message": error.message,
                    ])
                throw error
            }
        }
    }

    private struct Claim: Decodable {
        let nonce: String
        @JSONNumber var `protocol`: Int
        let version: String?
    }

    private func claim(_ exchange: Exchange) throws(Failure) -> Response {
        let body = try Bodies.read(Claim.self, exchange)
        guard (1...Self.maximumNonce).contains(body.nonce.utf8.count) else {
            throw .field("nonce", "must have 1 to \(Self.maximumNonce) bytes.")
        }
        try Self.check("version", body.version, most: Self.maximumWord)
        guard body.protocol == Porter.workerProtocol else {
            throw Failure(
                409, "worker_outdated",
                "This Porter speaks version \(Porter.workerProtocol) of the worker's protocol, the worker \(body.protocol)."
            )
        }
        return try answering { () throws(CallbackFailure) in
            let token = try Self.workerToken(exchange.request)
            let answer = try work.claim(token: token, nonce: Secret(body.nonce))
            return Response(
                status: 200,
                fields: ["Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"],
                body: answer)
        }
    }

    private struct UsageBody: Decodable {
        @JSONNumber var input_tokens: Int64?
        @JSONNumber var output_tokens: Int64?
        @JSONNumber var cost_usd: Double?
    }

    private struct ProgressBody: Decodable {
        struct Log: Decodable {
            @JSONNumber var offset: Int
            let text: String
        }

        let phase: String
        let message: String?
        let log: Log?
        let usage: UsageBody?
    }

    private func progress(_ exchange: Exchange) throws(Failure) -> Response {
        let body = try Bodies.read(ProgressBody.self, exchange)
        guard let phase = Phase(rawValue: body.phase), phase != .starting, phase != .publishing else {
            throw .field("phase", "must be clone, setup, agent or saving.")
        }
        try Self.check("message", body.message, most: Self.maximumWord)
        if let log = body.log {
            guard log.offset >= 0 else { throw .field("log.offset", "is negative.") }
            guard log.offset <= Self.maximumCount else { throw .field("log.offset", "is too large.") }
            try Self.check("log.text", log.text, most: Self.maximumLogText)
        }
        let progress = Progress(
            phase: phase, message: body.message?.storable, logOffset: body.log?.offset,
            logText: body.log.map { Array($0.text.utf8) }, usage: try Self.usage(body.usage))
        return try answering { () throws(CallbackFailure) in
            let token = try Self.workerToken(exchange.request)
            let answer = try work.progress(token: token, progress)
            return .json(
                200,
                .object(["continue": .bool(answer.goesOn), "reason": .text(answer.reason?.rawValue)]))
        }
    }

    private struct CredentialBody: Decodable {
        let purpose: String
    }

    private func credential(_ exchange: Exchange) throws(Failure) -> Response {
        let body = try Bodies.read(CredentialBody.self, exchange)
        guard body.purpose == "push" else { throw .field("purpose", "must be push.") }
        return try answering { () throws(CallbackFailure) in
            let token = try Self.workerToken(exchange.request)
            let credential = try work.credential(token: token)
            return .json(
                200,
                .object([
                    "username": .string(credential.username), "token": .string(credential.token),
                    "expires_at": .string(credential.expiresAt),
                ]))
        }
    }

    private struct CompleteBody: Decodable {
        let task_id: String
        let status: String
        let reason: String?
        let summary: String?
        let branch: String?
        let head_sha: String?
        @JSONNumber var exit_code: Int?
        let usage: UsageBody?
    }

    private func complete(_ exchange: Exchange) throws(Failure) -> Response {
        let body = try Bodies.read(CompleteBody.self, exchange)
        guard TaskID(rawValue: body.task_id) != nil else { throw .field("task_id", "is no task's id.") }
        guard let outcome = Outcome(word: body.status) else {
            throw .field("status", "must be success, complete, failed, cancelled or timed_out.")
        }
        try Self.check("reason", body.reason, most: Self.maximumWord)
        try Self.check("summary", body.summary, most: Self.maximumSummary)
        try Self.check("branch", body.branch, most: Self.maximumWord)
        let reason = try body.reason.map { (word) throws(Failure) in
            guard let reason = Reason(rawValue: word), !reason.isOnlyForAnswers else {
                throw .field("reason", "is not on the list of reasons.")
            }
            return reason
        }
        if let sha = body.head_sha {
            let isHash = sha.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
            guard isHash, sha.utf8.count == 40 || sha.utf8.count == 64 else {
                throw .field("head_sha", "is no commit's id.")
            }
        }
        if let code = body.exit_code, !(-1...255).contains(code) {
            throw .field("exit_code", "must lie between -1 and 255.")
        }
        let report = Attempt.Report(
            outcome: outcome, reason: outcome.believable(reason), headSHA: body.head_sha,
            exitCode: body.exit_code,
            summary: body.summary?.storable, usage: try Self.usage(body.usage))
        return try answering { () throws(CallbackFailure) in
            let token = try Self.workerToken(exchange.request)
            try work.complete(token: token, named: body.task_id, report)
            return .json(200, .object(["status": .string("stored")]))
        }
    }

    private static func usage(_ body: UsageBody?) throws(Failure) -> Usage? {
        guard let body else { return nil }
        for (name, count) in [
            ("usage.input_tokens", body.input_tokens), ("usage.output_tokens", body.output_tokens),
        ] {
            if let count, !(0...maximumCount).contains(count) {
                throw .field(name, "must lie between 0 and \(maximumCount).")
            }
        }
        if let cost = body.cost_usd, !(0...1_000_000).contains(cost) {
            throw .field("usage.cost_usd", "must lie between 0 and 1000000.")
        }
        return Usage(
            inputTokens: body.input_tokens, outputTokens: body.output_tokens, costUSD: body.cost_usd)
    }

    private static func check(_ name: String, _ text: String?, most: Int) throws(Failure) {
        guard let text, text.utf8.count > most else { return }
        throw .field(name, "has \(text.utf8.count) bytes, and takes \(most) at most.")
    }

    private func answering(
        _ body: () throws(CallbackFailure) -> Response
    ) throws(Failure) -> Response {
        do throws(CallbackFailure) {
            return try body()
        } catch {
            throw Failure(error)
        }
    }
}
