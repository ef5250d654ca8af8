import FoundationEssentials
import PlaygroundFace
import PorterHTTP

/// What stands behind the face: it makes machines and knows how they truly are.
struct Engine: Sendable {
    /// What became of a create.
    enum Made: Sendable {
        case machine(JSON)
        case refused(Response)
    }

    /// Makes a machine of a checked request.
    var create: @Sendable (_ request: JSON) -> Made
    /// The machine, destroyed ones too; nil when it was never known.
    var find: @Sendable (_ id: String) throws(Unavailable) -> JSON?
    /// The machines that live, and perhaps some that do not.
    var list: @Sendable () throws(Unavailable) -> [JSON]
    /// Destroys the machine by force; nil when that was done.
    var destroy: @Sendable (_ id: String) -> Response?
    /// The machines that change on command, if these are such.
    var hollow: HollowMachines?

    /// The engine cannot say how things are, which is not the same as that there is nothing.
    struct Unavailable: Error {
        let response: Response
    }

    /// Machines that run nothing.
    static func hollow(_ machines: HollowMachines) -> Engine {
        Engine(
            create: { .machine(machines.create($0)) },
            find: { id throws(Unavailable) in machines.find(id) },
            list: { () throws(Unavailable) in machines.all },
            destroy: { id in
                machines.change(id, ["state": "destroyed", "requested_stop": true, "exit_code": 0])
                return nil
            }, hollow: machines)
    }

    /// The machines of a `porter-runner`.
    ///
    /// - Parameter socket: its path.
    static func runner(socket: String) -> Engine {
        var options = CurlOptions()
        options.unixSocket = socket
        let transport = Transport.curl(options)
        let call: @Sendable (String, String, JSON?) -> Response = { method, rest, body in
            do throws(TransportError) {
                var request = Request(
                    method: method, target: "http://runner/v1/apps/local/machines\(rest)")
                if let body {
                    request.fields["Content-Type"] = "application/json"
                    request.body = body.data
                }
                return try transport.send(request, Transport.Limits())
            } catch {
                return .json(503, ["error": .string("unavailable: no host answers (\(error))")])
            }
        }
        return Engine(
            create: { request in
                let answer = call("POST", "", request)
                guard answer.status == 200, let machine = JSON(answer.body) else { return .refused(answer) }
                return .machine(machine)
            },
            find: { id throws(Unavailable) in
                let answer = call("GET", "/\(id)", nil)
                if answer.status == 404 { return nil }
                guard answer.status == 200, let machine = JSON(answer.body) else {
                    throw Unavailable(response: answer)
                }
                return machine
            },
            list: { () throws(Unavailable) in
                let answer = call("GET", "", nil)
                guard answer.status == 200, case .array(let machines)? = JSON(answer.body) else {
                    throw Unavailable(response: answer)
                }
                return machines
            },
            destroy: { id in
                let answer = call("DELETE", "/\(id)?force=true", nil)
                return answer.status == 200 ? nil : answer
            }, hollow: nil)
    }
}
