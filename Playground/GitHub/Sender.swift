import PlaygroundFace
import FoundationEssentials
import Porter
import PorterCrypto
import PorterHTTP
import PorterProcess
import Synchronization

/// Sends deliveries, one after the other, on a thread of its own; none is ever tried again by itself.
///
/// - SeeAlso: <https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries>
final class Sender: Sendable {
    /// What GitHub waits for an answer.
    static let deadline = Duration.seconds(10)
    /// Bytes of an answer that are kept.
    static let mostAnswer = 1_048_576

    private let transport: Transport
    private let queue = Mutex<[Job]>([])
    private let bell = Bell()
    private let isStopped = Atomic(false)

    private struct Job: Sendable {
        let delivery: Delivery
        let done: Bell
    }

    init(_ transport: Transport) {
        self.transport = transport
    }

    /// Begins to send for the world.
    func start(_ world: World) {
        PorterProcess.Thread.start {
            while !self.isStopped.load(ordering: .acquiring) {
                guard let job = self.queue.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
                    self.bell.wait(milliseconds: 1000)
                    continue
                }
                let outcome = self.attempt(job.delivery, world)
                world.finish(job.delivery, outcome)
                job.done.ring()
            }
        }
    }

    /// Puts the delivery at the end of the queue.
    ///
    /// - Returns: rings when it was sent, or could not be.
    @discardableResult
    func enqueue(_ delivery: Delivery) -> Bell {
        let job = Job(delivery: delivery, done: Bell())
        queue.withLock { $0.append(job) }
        bell.ring()
        return job.done
    }

    /// Sends no more.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.ring()
    }

    private func attempt(_ delivery: Delivery, _ world: World) -> Delivery.Outcome {
        let (isDelivering, app) = world.with { ($0.isDelivering, $0.app) }
        let registration = world.registration.withLock { $0 }
        let fields = fields(delivery, app, registration.webhookSecret)
        let start = world.clock.now()
        func outcome(_ status: String, _ code: Int, _ response: Response? = nil) -> Delivery.Outcome {
            Delivery.Outcome(
                at: start.adding(seconds: -Int(delivery.age)), milliseconds: world.clock.now() - start,
                status: status, code: code,
                request: fields, response: response)
        }
        guard isDelivering else { return outcome("failed to connect to host", 502) }
        do throws(TransportError) {
            let response = try transport.send(
                Request(
                    method: "POST", target: registration.webhookURL, fields: fields, body: delivery.payload),
                Transport.Limits(total: Self.deadline, maximumBodyBytes: Self.mostAnswer))
            let isGood = (200..<300).contains(response.status)
            return outcome(
                isGood ? "OK" : "Invalid HTTP Response: \(response.status)", response.status, response)
        } catch {
            return error.code == .interrupted
                ? outcome("timed out", 504) : outcome("failed to connect to host", 502)
        }
    }

    /// - SeeAlso: <https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers>
    private func fields(_ delivery: Delivery, _ app: App, _ secret: String) -> Fields {
        var fields: Fields = [
            "Accept": "*/*", "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/0000000",
            "X-GitHub-Delivery": delivery.guid, "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": String(app.hookID),
            "X-GitHub-Hook-Installation-Target-ID": String(app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
        ]
        // A webhook without a secret is not signed.
        if !secret.isEmpty {
            let signature = HMACSHA256.code(for: delivery.payload, key: secret).hexadecimal
            fields["X-Hub-Signature-256"] = "sha256=\(signature)"
        }
        return fields
    }
}

extension World {
    fileprivate func finish(_ delivery: Delivery, _ outcome: Delivery.Outcome) {
        with { state in
            guard let index = state.deliveries.lastIndex(where: { $0.id == delivery.id }) else { return }
            state.deliveries[index].outcome = outcome
        }
        effects.append(
            "delivery.sent", actor: "github",
            [
                "delivery": .int(delivery.id), "guid": .string(delivery.guid),
                "event": .string(delivery.event), "action": .some(delivery.action),
                "repository_id": .some(delivery.repositoryID),
                "comment_id": .some(JSON(delivery.payload)?["comment"]["id"].int),
                "installation": .some(delivery.installationID),
                "redelivery": .bool(delivery.isRedelivery), "status": .string(outcome.status),
                "status_code": .int(outcome.code),
                "answer": .some(
                    outcome.response.map { String(decoding: $0.body.prefix(2000), as: UTF8.self) }),
            ])
    }
}
