import FoundationEssentials
package import Porter
import PorterCrypto
package import PorterHTTP
import PorterStore
package import PorterWork

/// Porter's face to the outside: one table of addresses, and what each answers.
///
/// `Webhook.swift` takes GitHub's deliveries, `Callbacks.swift` the workers' words, `TaskRoutes.swift` shows
/// tasks and `ActingRoutes.swift` starts and stops them, `Operations.swift` tells the operator how Porter is,
/// `SignIn.swift` and `SetUpRoutes.swift` let people in; the other files named `…Routes.swift`, `Config.swift`,
/// `Credentials.swift` and `Validation.swift` serve the pages. A request passes the checks in this order:
/// address, method, who asks, origin, object, permission, body.
///
/// It is a class because every request's closures hold it: as a value its dozen references were counted for each.
package final class Site: Sendable {
    let work: Work
    /// Calls that try whether a key, an address or an app works.
    let probes: Probes
    let operatorToken: Secret?
    /// Why GitHub's credentials cannot be used; nil while nothing is known against them.
    let appProblem: @Sendable () -> String?
    let clock: Clock
    let counters = Counters()
    let writing = WriteCheck()

    /// The site of that instance.
    package init(
        work: Work, operatorToken: Secret?, clock: Clock, probes: Probes = .none,
        appProblem: @escaping @Sendable () -> String?
    ) {
        self.work = work
        self.operatorToken = operatorToken
        self.clock = clock
        self.probes = probes
        self.appProblem = appProblem
    }

    /// What deliveries are signed with; nil before set-up.
    var webhookSecret: Secret? { work.world.app.credentials?.webhookSecret }

    /// How a body arrived.
    package enum BodyState: Sendable {
        /// All of it.
        case whole
        /// Cut short, or without a length that can be understood.
        case broken
        /// More than any address takes; it was not read.
        case tooLarge
    }

    /// Answers a request.
    ///
    /// - Parameter respond: gets the answer, once: mostly before this returns, but for what must be on disk first
    ///   later, on another thread, where it must not wait for anything.
    package func answer(
        _ request: Request, body state: BodyState, _ respond: @escaping @Sendable (Response) -> Void
    ) {
        var viewer: Int64?
        do throws(Failure) {
            let (handler, exchange) = try route(request, state)
            viewer = exchange.visitor?.id
            switch handler {
            case .now(let handle):
                finish(try handle(self, exchange), request, for: viewer, respond)
            case .later(let handle):
                try handle(self, exchange) { [viewer] in self.finish($0, request, for: viewer, respond) }
            }
        } catch {
            finish(error.response, request, for: viewer, respond)
        }
    }

    private func finish(
        _ response: Response, _ request: Request, for viewer: Int64?, _ respond: (Response) -> Void
    ) {
        let shown = withoutSecrets(response, request, for: viewer)
        // What pages ask for again and again, as long as something runs.
        let isPolled = request.method == "GET" && request.target.hasPrefix("/api/tasks")
        let sent = isPolled ? shown.unlessKnown(to: request) : shown
        counters.count(status: sent.status)
        respond(sent)
    }

    /// What people read passes the redactor once more; workers are answered with what they need.
    ///
    /// Other people's own keys were taken out of what their runs said before it was stored.
    private func withoutSecrets(_ response: Response, _ request: Request, for viewer: Int64?) -> Response {
        guard !response.body.isEmpty, !request.target.hasPrefix("/api/webhooks/"),
            request.target.hasPrefix("/api/"), !request.target.hasPrefix("/api/callbacks/"),
            let bytes = work.world.redactor.redact([UInt8](response.body), about: viewer)
        else { return response }
        var response = response
        response.body = Data(bytes)
        return response
    }

    /// Every address there is.
    static let router = Router(
        [
            operationRoutes,
            [webhookRoute],
            callbackRoutes,
            taskRoutes,
            actingRoutes,
            signInRoutes,
            sessionRoutes,
            auditRoutes,
            configRoutes,
            credentialRoutes,
            validationRoutes,
            agentRoutes,
            gitHubRoutes,
            checkRoutes,
            setUpRoutes,
        ].flatMap { $0 })

    private func route(
        _ request: Request, _ state: BodyState
    ) throws(Failure) -> (Route.Handler, Exchange) {
        guard let (candidates, query) = Self.router.find(request.target) else { throw .noRoute }
        let method = request.method == "HEAD" ? "GET" : request.method
        guard let (route, values) = candidates.first(where: { $0.route.method == method }) else {
            throw Self.notAllowed(candidates.map(\.route.method))
        }
        let visitor = try open(route.door, request)
        if state == .tooLarge || request.body.count > max(route.maximumBody, Self.ignoredBody) {
            throw .tooLarge
        }
        return (
            route.handler,
            Exchange(
                request: request, path: values, query: query, isWhole: state == .whole, visitor: visitor)
        )
    }

    /// Bytes of a body that an address without one overlooks.
    private static let ignoredBody = 65_536

    private static func notAllowed(_ methods: [String]) -> Failure {
        let allowed = Set(methods).union(methods.contains("GET") ? ["HEAD"] : []).sorted()
        var failure = Failure(
            405, "method_not_allowed", "This address takes \(allowed.joined(separator: ", ")).")
        failure.fields["Allow"] = allowed.joined(separator: ", ")
        return failure
    }

    /// Lets the request through the door.
    ///
    /// - Returns: who is signed in, behind doors that ask.
    private func open(_ door: Door, _ request: Request) throws(Failure) -> Visitor? {
        switch door {
        case .open: return nil
        case .operatorToken:
            guard isOperator(request) else {
                throw .unauthorized("This address takes the operator's token as a bearer token.")
            }
            return nil
        case .worker:
            do throws(CallbackFailure) {
                try work.checkToken(try Self.workerToken(request))
                return nil
            } catch {
                throw Failure(error)
            }
        case .reader where isOperator(request):
            return nil
        case .reader:
            do throws(Failure) {
                let visitor = try visitor(request)
                try checkPerson(request, visitor)
                return visitor
            } catch {
                throw error.status == 401 ? error.askingForBearer : error
            }
        case .person, .admin, .leaving:
            let visitor = try visitor(request, isLeaving: door == .leaving)
            try checkOrigin(request)
            try checkPerson(request, visitor)
            if door == .admin, !visitor.isAdmin { throw .notAdmin }
            return visitor
        }
    }

    /// Whether the request brings the operator's token.
    func isOperator(_ request: Request) -> Bool {
        guard let operatorToken, let given = Self.bearer(request) else { return false }
        // Digests are of one length, so the comparison tells nothing about the token's.
        return given.reveal { given in
            operatorToken.reveal { held in
                constantTimeEquals(
                    SHA256.digest(Array(given.utf8)), SHA256.digest(Array(held.utf8)))
            }
        }
    }

    /// The bearer token of a request.
    static func bearer(_ request: Request) -> Secret? {
        guard let header = request.fields["Authorization"],
            header.prefix(7).lowercased() == "bearer "
        else { return nil }
        let token = header.dropFirst(7).drop { $0 == " " }
        return token.isEmpty ? nil : Secret(String(token))
    }

    /// The token that a worker brings, in either of the two headers.
    static func workerToken(_ request: Request) throws(CallbackFailure) -> Secret {
        if let token = request.fields["X-Porter-Callback-Token"], !token.isEmpty { return Secret(token) }
        guard let token = bearer(request) else { throw .unknownToken }
        return token
    }
}
