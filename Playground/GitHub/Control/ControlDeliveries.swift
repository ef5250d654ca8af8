import PlaygroundFace
import Porter
import PorterHTTP
import Synchronization

/// Deliveries on demand, and bad days.
extension Control {
    /// The last delivery under that GUID, with its request and the answer.
    func showDelivery(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        try world.with { state throws(Refusal) in
            guard let delivery = state.deliveries.last(where: { $0.guid == address["guid"] }) else {
                throw Refusal.notFound
            }
            return state.json(full: delivery)
        }
    }

    /// Delivers an event again under its GUID: `{times?, wait?}`.
    func redeliver(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let guid = address["guid"] ?? ""
        let times = max(1, body["times"].int ?? 1)
        let made = try world.with { state throws(Refusal) in
            guard let delivery = state.deliveries.last(where: { $0.guid == guid }) else {
                throw Refusal.notFound
            }
            return (0..<times).map { _ -> World.Announced in
                let again = state.redeliver(delivery)
                return (again, world.sender.enqueue(again))
            }
        }
        return ["deliveries": .array(made.map { result([:], $0, body)["delivery"] })]
    }

    /// Delivers any payload, signed as all are: `{event, payload, guid?, wait?}`.
    func deliver(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        guard let event = body["event"].string else { throw .missing("event") }
        let payload = body["payload"]
        guard !payload.isNull else { throw .missing("payload") }
        let delivery = world.with { state in
            let delivery = Delivery(
                id: state.newID(), guid: body["guid"].string ?? newGUID(), event: event,
                action: payload["action"].string, installationID: payload["installation"]["id"].int,
                repositoryID: payload["repository"]["id"].int, payload: payload.data, isRedelivery: false)
            state.deliveries.append(delivery)
            return delivery
        }
        return result([:], (delivery, world.sender.enqueue(delivery)), body)
    }

    /// What GitHub sends when a hook is made.
    func ping(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        let payload = world.with { state -> JSON in
            [
                "zen": "Keep it logically awesome.", "hook_id": .int(state.app.hookID),
                "hook": [
                    "type": "App", "id": .int(state.app.hookID), "name": "web", "active": true,
                    "events": .strings(state.app.heard), "app_id": .int(state.app.id),
                    "config": [
                        "content_type": "json", "insecure_ssl": "0", "secret": "********",
                        "url": .string(world.registration.withLock { $0.webhookURL }),
                    ],
                    "created_at": .string(state.app.createdAt.shown),
                    "updated_at": .string(state.app.createdAt.shown),
                    "deliveries_url": "\(state.api)/app/hook/deliveries",
                ],
            ]
        }
        return try deliver(request, address, body + ["event": "ping", "payload": payload])
    }

    /// Switches deliveries by `{enabled}`; while off, deliveries fail as if nobody listened.
    func switchWebhooks(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON
    {
        guard let isOn = body["enabled"].bool else { throw .missing("enabled") }
        world.with { $0.isDelivering = isOn }
        return ["enabled": .bool(isOn)]
    }

    /// What is still to come.
    func listFaults(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        world.with { ["faults": .array($0.faults.map(\.json))] }
    }

    /// Plans a bad day: `{kind, method?, path?, times?, status?, body?, headers?, seconds?}`.
    func addFault(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        try world.with { state throws(Refusal) in
            let fault = try Fault(body, id: state.newID())
            state.faults.append(fault)
            return fault.json
        }
    }

    /// Forgets them all.
    func clearFaults(_ request: Request, _ address: [String: String], _ body: JSON) throws(Refusal) -> JSON {
        world.with { $0.faults = [] }
        return ["faults": []]
    }
}
