import FoundationEssentials
import Porter
import PorterGitHub
import PorterHTTP
import PorterStore
import PorterWork

/// GitHub's deliveries: `POST /api/webhooks/github`.
extension Site {
    /// Bytes of a delivery at most; GitHub caps its payloads there.
    static var maximumDelivery: Int { 26_214_400 }
    /// Characters of a delivery's id at most; GitHub's have 36.
    static var maximumDeliveryID: Int { 128 }

    static var webhookRoute: Route {
        Route(
            "POST", "/api/webhooks/github", .open, maximumBody: maximumDelivery,
            .later { (site, exchange, respond) throws(Failure) in try site.takeDelivery(exchange, respond) })
    }

    private func takeDelivery(
        _ exchange: Exchange, _ respond: @escaping @Sendable (Response) -> Void
    ) throws(Failure) {
        let request = exchange.request
        guard let webhookSecret else {
            throw Failure(503, "not_set_up", "Porter has no GitHub App yet.")
        }
        let header = request.fields["X-Hub-Signature-256"]
        guard exchange.isWhole else {
            // A cut body has no signature that could be right.
            throw header == nil
                ? .unsigned("The header X-Hub-Signature-256 is missing.")
                : Failure(400, "bad_request", "The body is shorter than its Content-Length.")
        }
        guard let header, WebhookSignature.isValid(header, body: request.body, secret: webhookSecret) else {
            throw .unsigned("The signature X-Hub-Signature-256 is missing or wrong.")
        }
        guard let event = request.fields["X-GitHub-Event"], !event.isEmpty else {
            throw .body("The header X-GitHub-Event is missing.")
        }
        guard let guid = request.fields["X-GitHub-Delivery"], !guid.isEmpty,
            guid.utf8.count <= Self.maximumDeliveryID
        else { throw .body("The header X-GitHub-Delivery is missing or too long.") }
        let payload: Data
        do {
            payload = try WebhookDecoder.payload(
                request.body, contentType: request.fields["Content-Type"])
        } catch {
            throw .body(error.description)
        }
        guard WebhookDecoder.isObject(payload) else {
            throw .body(
                """
                The body is not a JSON object in UTF-8, or is nested deeper than \(WebhookDecoder.maximumDepth).
                """)
        }
        if event == "ping" {
            return respond(.json(200, .object(["status": .string("ignored"), "task": .null])))
        }
        guard isWorthDecoding(event, payload) else { return respond(answer(.ignored)) }
        let digest = WebhookSignature.digest(header, secret: webhookSecret)
        try store(event, guid, digest, payload, respond)
    }

    /// Whether the bytes may hold something to act on; nearly all deliveries end here.
    private func isWorthDecoding(_ event: String, _ payload: Data) -> Bool {
        switch event {
        case "issue_comment", "pull_request_review_comment", "pull_request_review":
            payload.withUnsafeBytes { work.mayHoldCommand($0) }
        case "issues":
            payload.firstRange(of: Data("closed".utf8)) != nil
                || payload.withUnsafeBytes { work.mayHoldCommand($0) }
        case "installation", "installation_repositories", "repository", "github_app_authorization": true
        default: false
        }
    }

    private func store(
        _ event: String, _ guid: String, _ digest: [UInt8], _ payload: Data,
        _ respond: @escaping @Sendable (Response) -> Void
    ) throws(Failure) {
        let decoded: (event: WebhookEvent, action: String?)
        do {
            decoded = try WebhookDecoder.decode(event, payload)
        } catch {
            throw .body(error.description)
        }
        let delivery = Delivery(guid: guid, event: event, action: decoded.action, digest: digest)
        work.accept(delivery, decoded.event) { outcome in
            switch outcome {
            case .success(let result):
                respond(self.answer(result))
            case .failure(let error):
                self.work.world.journal.record(
                    .error, "delivery not stored", ["delivery": guid, "error": "\(error)"])
                respond(Failure(error).response)
            }
        }
    }

    private func answer(_ result: WebhookResult) -> Response {
        switch result {
        case .ignored:
            counters.count(.ignored)
            return Self.ignored
        case .accepted(let task): return answer(.accepted, task)
        case .duplicate(let task): return answer(.duplicate, task)
        }
    }

    private func answer(_ word: Counters.Delivery, _ task: TaskID?) -> Response {
        counters.count(word)
        // By hand: this runs where commands are committed, and an encoder took a tenth of that time. Neither the
        // words nor the letters of an id need an escape.
        let id = task.map { "\"\($0.rawValue)\"" } ?? "null"
        return .json(202, bytes: Data("{\"status\":\"\(word.rawValue)\",\"task\":\(id)}".utf8))
    }

    /// What nearly all deliveries are answered, made once.
    private static let ignored = Response.json(202, .object(["status": .string("ignored"), "task": .null]))
}
