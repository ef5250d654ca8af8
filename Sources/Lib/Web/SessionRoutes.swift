import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// Where somebody is signed in: `/api/sessions`, `/api/auth/logout`.
extension Site {
    static var sessionRoutes: [Route] {
        [
            Route("POST", "/api/auth/logout", .leaving) { (site, exchange) throws(Failure) in
                try site.signOut(exchange)
            },
            Route("GET", "/api/sessions", .person) { (site, exchange) throws(Failure) in
                try site.listSessions(exchange)
            },
            Route("DELETE", "/api/sessions/{id}", .leaving) { (site, exchange) throws(Failure) in
                try site.endSession(exchange)
            },
        ]
    }

    private struct SignOutBody: Decodable {
        let everywhere: Bool?
    }

    /// Here, or with `{"everywhere": true}` in all browsers.
    private func signOut(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        let isEverywhere =
            exchange.request.body.isEmpty
            ? false : try Bodies.read(SignOutBody.self, only: ["everywhere"], exchange).everywhere ?? false
        try reading { () throws(StoreError) in
            let store = work.world.store
            if isEverywhere {
                try store.endSessions(of: visitor.person, address: exchange.request.peer, at: clock.now())
            } else {
                _ = try store.endSession(
                    visitor.session, of: visitor.person, address: exchange.request.peer, at: clock.now())
            }
        }
        return Self.forgettingSession(Response(status: 204, fields: ["Cache-Control": "no-store"]))
    }

    private func listSessions(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        let sessions = try reading { () throws(StoreError) in
            try work.world.store.listSessions(person: visitor.id, at: clock.now())
        }
        return .json(
            200,
            .object([
                "sessions": .array(
                    sessions.map { session in
                        .object([
                            "id": .string(session.id.rawValue),
                            "current": .bool(session.id == visitor.session),
                            "created_at": .string(session.createdAt.iso8601),
                            "used_at": .string(session.usedAt.iso8601),
                            "expires_at": .string(session.expiresAt.iso8601),
                            "address": .text(session.address), "user_agent": .text(session.userAgent),
                        ])
                    })
            ]))
    }

    private func endSession(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        guard let id = exchange.path["id"].flatMap(SessionID.init(rawValue:)) else { throw .noSession }
        let isEnded = try reading { () throws(StoreError) in
            try work.world.store.endSession(
                id, of: visitor.person, address: exchange.request.peer, at: clock.now())
        }
        guard isEnded else { throw .noSession }
        let response = Response(status: 204, fields: ["Cache-Control": "no-store"])
        return id == visitor.session ? Self.forgettingSession(response) : response
    }

    private static func forgettingSession(_ response: Response) -> Response {
        var response = response
        response.fields.append("Set-Cookie", Cookies.set(sessionCookie, "", seconds: 0))
        return response
    }
}

extension Failure {
    /// None of the person's own.
    fileprivate static let noSession = Failure(404, "not_found", "There is no such session.")
}
