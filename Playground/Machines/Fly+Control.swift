import PlaygroundFace
import PorterHTTP
import Synchronization

extension Fly {
    /// The playground's own calls, without a token.
    func control(_ request: Request) -> Response {
        let parts = request.path.split(separator: "/").dropFirst().map(String.init)
        switch (request.method, parts.first, parts.count) {
        case ("GET", "faults", 1):
            return .json(200, ["faults": .array(state.withLock { $0.faults.map(\.plan) })])
        case ("DELETE", "faults", 1):
            state.withLock { $0.faults = [] }
            return Response(status: 204)
        case ("POST", "faults", 1): return plan(request)
        case ("GET", "requests", 1): return .json(200, ["requests": .array(log.records)])
        case ("GET", "machines", 1):
            do throws(Engine.Unavailable) {
                return .json(200, ["machines": .array(try machines())])
            } catch {
                return error.response
            }
        case ("POST", "machines", 2): return change(parts[1], request)
        default: return .json(404, ["error": "the playground has no such call"])
        }
    }

    private func plan(_ request: Request) -> Response {
        do throws(Fault.Refused) {
            let fault = try Fault(JSON(request.body) ?? nil)
            if fault.kind == .refuse {
                refuse(for: fault.seconds ?? 1)
            } else {
                state.withLock { $0.faults.append(fault) }
            }
            return Response(status: 204)
        } catch {
            return .json(422, ["error": .string(error.words)])
        }
    }

    private func change(_ id: String, _ request: Request) -> Response {
        guard let hollow = engine.hollow else {
            return .json(409, ["error": "these machines are run by a porter-runner, not by command"])
        }
        guard let order = JSON(request.body) else { return .json(400, ["error": "the body is no JSON"]) }
        guard hollow.find(id) != nil else { return Self.unknownMachine }
        if let problem = hollow.change(id, order) { return .json(422, ["error": .string(problem)]) }
        return Response(status: 204)
    }
}
