import PlaygroundFace
import FoundationEssentials
import Porter
import PorterCrypto
import PorterHTTP

/// One attempt to deliver an event, and what came of it.
struct Delivery: Sendable {
    let id: Int64
    /// The event's own name, the same for every attempt.
    let guid: String
    let event: String
    let action: String?
    let installationID: Int64?
    let repositoryID: Int64?
    /// The exact bytes that are signed and sent.
    let payload: Data
    let isRedelivery: Bool
    /// Seconds by which the log makes it older than it is.
    var age: Int64 = 0
    /// Nil until the attempt is over.
    var outcome: Outcome?

    /// How an attempt ended.
    struct Outcome: Sendable {
        let at: Instant
        let milliseconds: Int64
        /// `OK`, or what went wrong.
        let status: String
        let code: Int
        let request: Fields
        let response: Response?
    }
}

extension State {
    /// Writes the event down as a delivery that is to be sent, if anybody is to hear of it.
    mutating func announce(
        _ event: String, _ action: String, _ about: JSON, in repository: Repository?, by sender: Int64,
        installation named: Installation? = nil
    ) -> Delivery? {
        let installation = named ?? repository.flatMap { self.installation(reaching: $0) }
        guard let installation, installation.suspendedAt == nil || event == "installation" else { return nil }
        var payload: JSON = ["action": .string(action), "sender": json(account: sender)]
        payload = payload + ["installation": json(mark: installation)]
        if let repository { payload = payload + ["repository": json(repository)] }
        if let organization = json(organization: installation.accountID) {
            payload = payload + ["organization": organization]
        }
        var delivery = Delivery(
            id: newID(), guid: newGUID(), event: event, action: action, installationID: installation.id,
            repositoryID: repository?.id, payload: (payload + about).data, isRedelivery: false)
        delivery.age = age
        deliveries.append(delivery)
        return delivery
    }

    /// What an event says of the installation that it comes by.
    func json(mark installation: Installation) -> JSON {
        ["id": .int(installation.id), "node_id": nodeID("MDI", installation.id)]
    }

    /// Another attempt under the same GUID.
    mutating func redeliver(_ delivery: Delivery) -> Delivery {
        let again = Delivery(
            id: newID(), guid: delivery.guid, event: delivery.event, action: delivery.action,
            installationID: delivery.installationID, repositoryID: delivery.repositoryID,
            payload: delivery.payload, isRedelivery: true)
        deliveries.append(again)
        return again
    }

    /// The deliveries that the log shows, the newest first.
    var deliveryLog: [Delivery] {
        let oldest = clock.now().adding(seconds: -Int(logReach))
        return deliveries.filter { delivery in delivery.outcome.map { $0.at >= oldest } ?? false }
            .sorted { $0.place > $1.place }
    }

    /// A delivery in the App's log: `hook-delivery-item`.
    func json(_ delivery: Delivery) -> JSON {
        [
            "id": .int(delivery.id), "guid": .string(delivery.guid),
            "delivered_at": .some(delivery.outcome?.at.iso8601), "redelivery": .bool(delivery.isRedelivery),
            "duration": .number(Double(delivery.outcome?.milliseconds ?? 0) / 1000),
            "status": .string(delivery.outcome?.status ?? "pending"),
            "status_code": .int(delivery.outcome?.code ?? 0), "event": .string(delivery.event),
            "action": .some(delivery.action), "installation_id": .some(delivery.installationID),
            "repository_id": .some(delivery.repositoryID), "throttled_at": nil,
        ]
    }

    /// A delivery asked for by itself: `hook-delivery`.
    func json(full delivery: Delivery) -> JSON {
        let outcome = delivery.outcome
        func object(_ fields: Fields) -> JSON {
            .object(Dictionary(fields.pairs.map { ($0.name, JSON.string($0.value)) }) { $1 })
        }
        let response = outcome?.response
        return json(delivery) + [
            "url": "",
            "request": [
                "headers": outcome.map { object($0.request) } ?? .null,
                "payload": JSON(delivery.payload) ?? .null,
            ],
            "response": [
                "headers": response.map { object($0.fields) } ?? .null,
                "payload": .some(response.map { String(decoding: $0.body, as: UTF8.self) }),
            ],
        ]
    }
}

extension Delivery {
    /// Where it stands in the log, by time.
    var place: (Int64, Int64) { (outcome?.at.milliseconds ?? .max, id) }
}

/// A GUID as GitHub's deliveries bear them.
func newGUID() -> String {
    let digits = SecureRandom.bytes(16).hexadecimal
    var parts: [Substring] = []
    var rest = digits[...]
    for length in [8, 4, 4, 4, 12] {
        parts.append(rest.prefix(length))
        rest = rest.dropFirst(length)
    }
    return parts.joined(separator: "-")
}
