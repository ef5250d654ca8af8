import PlaygroundFace
import Porter
import PorterHTTP

/// Operations on the App's log of deliveries.
///
/// - SeeAlso: <https://docs.github.com/en/rest/apps/webhooks>
enum DeliveryOperations {
    /// Newest first; the next page begins after the delivery that the cursor names.
    static func list(_ call: Call) throws(Refusal) -> Response {
        let size = min(100, max(1, call.query["per_page"].flatMap { Int($0) } ?? 30))
        var before = (Int64.max, Int64.max)
        if let cursor = call.query["cursor"] {
            let parts = cursor.split(separator: "_")
            guard parts.count == 3, parts[0] == "v1", let at = Int64(parts[1]), let id = Int64(parts[2])
            else {
                throw Refusal(status: 400, message: "Invalid cursor")
            }
            before = (at, id)
        }
        let status = call.query["status"]
        guard status == nil || status == "success" || status == "failure" else {
            throw .validation("HookDelivery", field: "status", code: "invalid")
        }
        let (found, isMore, last) = call.world.with { state -> ([JSON], Bool, (Int64, Int64)) in
            let matching = state.deliveryLog.filter { delivery in
                guard delivery.place < before else { return false }
                return status == nil || (delivery.outcome?.status == "OK") == (status == "success")
            }
            let page = matching.prefix(size)
            return (page.map { state.json($0) }, matching.count > size, page.last?.place ?? (0, 0))
        }
        var response = Response.gitHub(.array(found))
        if isMore {
            response.fields["Link"] = "<\(call.address(["cursor": "v1_\(last.0)_\(last.1)"]))>; rel=\"next\""
        }
        return response
    }

    static func show(_ call: Call) throws(Refusal) -> Response {
        let delivery = try find(call)
        return .gitHub(call.world.with { $0.json(full: delivery) })
    }

    static func redeliver(_ call: Call) throws(Refusal) -> Response {
        let delivery = try find(call)
        let world = call.world
        world.effects.append(
            "delivery.requested", actor: world.with { $0.app.slug },
            ["delivery": .int(delivery.id), "guid": .string(delivery.guid)])
        world.with { state in _ = world.sender.enqueue(state.redeliver(delivery)) }
        return .gitHub([:], 202)
    }

    private static func find(_ call: Call) throws(Refusal) -> Delivery {
        let id = try call.number("id")
        guard let delivery = call.world.with({ $0.deliveryLog.first { $0.id == id } })
        else { throw .notFound }
        return delivery
    }
}
