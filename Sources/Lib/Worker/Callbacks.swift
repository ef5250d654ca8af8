import FoundationEssentials
import Glibc
import Porter
import PorterHTTP

/// The worker's line to Porter: the four callbacks, each repeated until it is answered.
final class Callbacks: Sendable {
    /// Seconds between two tries at most.
    static let longestPause = 10.0

    /// Porter will not answer this otherwise: the status and code that it gave.
    struct Refusal: Error, CustomStringConvertible {
        let status: Int
        let code: String
        let message: String
        /// Where the log goes on, for `log_offset`.
        let expected: Int?

        var description: String { "Porter refused (\(status) \(code)): \(message)" }
    }

    /// No answer came in time.
    struct Silence: Error {}

    private let transport: Transport
    private let address: String

    init(transport: Transport, address: String) {
        self.transport = transport
        self.address = address
    }

    /// Asks once.
    ///
    /// Only what Porter itself can have said is believed: a login page with status 200, or a proxy's 404, is
    /// as good as no answer.
    ///
    /// - Returns: the answer; nil when none came, what came is none of Porter's, or Porter asks to try again.
    /// - Throws: ``Refusal``.
    func ask<Answer: Decodable>(
        _ name: String, _ body: some Encodable, token: Secret, for _: Answer.Type
    ) throws(Refusal) -> Answer? {
        guard let data = try? JSONEncoder().encode(body) else {
            throw Refusal(
                status: 0, code: "unwritable", message: "the report cannot be written", expected: nil)
        }
        var fields: Fields = [
            "Content-Type": "application/json", "User-Agent": "porter-worker/\(Porter.version)",
        ]
        token.reveal { fields["Authorization"] = "Bearer \($0)" }
        let request = Request(
            method: "POST", target: "\(address)/api/callbacks/\(name)", fields: fields, body: data)
        let response: Response
        do throws(TransportError) {
            response = try transport.send(request, Transport.Limits(total: .seconds(20)))
        } catch {
            return nil
        }
        if (200...299).contains(response.status) {
            return try? JSONDecoder().decode(Answer.self, from: response.body)
        }
        // Porter's restarts pass.
        let isPassing = response.status >= 500 || response.status == 429 || response.status == 408
        guard response.status >= 400, !isPassing,
            let refusal = try? JSONDecoder().decode(RefusalBody.self, from: response.body),
            refusal.isPorters
        else { return nil }
        throw Refusal(
            status: response.status, code: refusal.error, message: refusal.message,
            expected: refusal.expected)
    }

    /// Asks until there is an answer.
    ///
    /// - Parameters:
    ///   - time: after which ``Silence`` is thrown.
    ///   - isCancelled: asked before each pause; true throws ``Silence`` as well.
    func askOn<Answer: Decodable>(
        _ name: String, _ body: some Encodable, token: Secret, for answer: Answer.Type,
        atMost time: Duration, isCancelled: () -> Bool = { false }
    ) throws -> Answer {
        let deadline = ContinuousClock.now + time
        var pause = 0.25
        while true {
            if let answer = try ask(name, body, token: token, for: answer) { return answer }
            guard ContinuousClock.now < deadline, !isCancelled() else { throw Silence() }
            usleep(UInt32(pause * Double.random(in: 0.75...1.25) * 1_000_000))
            pause = min(Self.longestPause, pause * 2)
        }
    }

    /// `public/openapi.json`: errors are `{"error": code, "message": text}`.
    private struct RefusalBody: Decodable {
        let error: String
        let message: String
        let expected: Int?

        /// Whether the code is a word as Porter writes them; `Not Found` is a gateway's.
        var isPorters: Bool {
            !error.isEmpty && error.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }
        }
    }
}

/// What `complete` is answered: an object, whatever is in it.
struct StoredAnswer: Decodable {
    private enum Keys: CodingKey {}

    init(from decoder: any Decoder) throws {
        _ = try decoder.container(keyedBy: Keys.self)
    }
}

/// What `progress` is answered.
struct ProgressAnswer: Decodable {
    let `continue`: Bool
    let reason: String?
}

/// The body of `claim`.
struct ClaimBody: Encodable {
    let nonce: String
    let `protocol` = Porter.workerProtocol
    let version = Porter.version
}

/// The body of `progress`.
struct ProgressBody: Encodable {
    struct Log: Encodable {
        let offset: Int
        let text: String
    }

    let phase: String
    let message: String?
    let log: Log?
    let usage: UsageBody?
}

/// What an agent used so far.
struct UsageBody: Encodable {
    let input_tokens: Int64?
    let output_tokens: Int64?
    let cost_usd: Double?

    init?(_ usage: Usage?) {
        guard let usage else { return nil }
        input_tokens = usage.inputTokens
        output_tokens = usage.outputTokens
        cost_usd = usage.costUSD
    }
}

/// The body of `credential`.
struct CredentialBody: Encodable {
    let purpose = "push"
}

/// The body of `complete`.
struct CompleteBody: Encodable {
    let task_id: String
    var status: String
    var reason: String?
    var summary: String?
    var branch: String?
    var head_sha: String?
    var exit_code: Int?
    var usage: UsageBody?
}
