import PlaygroundFace
import FoundationEssentials
import Porter
import PorterCrypto
import PorterHTTP

/// The REST API: who calls, whether they may, and which operation answers.
///
/// - SeeAlso: <https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api>
struct RestAPI: Sendable {
    let world: World

    /// The one version of the API that is spoken here.
    static let version = "2022-11-28"

    /// Answers a request below `/api/v3`.
    func answer(_ request: Request) -> Response {
        var response: Response
        do throws(Refusal) {
            response = try dispatch(request)
        } catch {
            response = error.response
        }
        let isUnchanged = Self.tag(&response, request)
        response.fields["X-GitHub-Request-Id"] = SecureRandom.bytes(12).hexadecimal.uppercased()
        response.fields["X-GitHub-Api-Version-Selected"] =
            Self.version
        response.fields["X-GitHub-Media-Type"] = "github.v3; format=json"
        for (name, value) in world.rateLimitFields(request, isFree: isUnchanged)
        where response.fields[name] == nil {
            response.fields[name] = value
        }
        return response
    }

    /// Marks what was read with its `ETag`, and leaves the body away when the caller has it already.
    ///
    /// - Returns: whether that is so; then the call does not count.
    /// - SeeAlso: <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate>
    private static func tag(_ response: inout Response, _ request: Request) -> Bool {
        guard request.method == "GET", response.status == 200 else { return false }
        let tag = "W/\"\(SHA256.digest(response.body).hexadecimal)\""
        response.fields["ETag"] = tag
        let known = (request.fields["If-None-Match"] ?? "").split(separator: ",").map {
            $0.trimmingPrefix { $0.isWhitespace }
        }
        // Weak and strong tags of one body are one here, as GitHub takes them.
        func bare(_ tag: Substring) -> Substring { tag.trimmingPrefix("W/") }
        guard known.contains(where: { bare($0) == bare(tag[...]) }) else { return false }
        response.status = 304
        response.body = Data()
        response.fields["Content-Type"] = nil
        return true
    }

    private func dispatch(_ request: Request) throws(Refusal) -> Response {
        try checkFields(request)
        let (whole, query) = Target.split(request.target)
        let path = String(whole.dropFirst(Site.apiPath.count))
        let parts = path.split(separator: "/").map { Target.decoded(String($0)) }
        if request.method == "DELETE", parts.count == 3, parts[0] == "applications", parts[2] == "token" {
            return try UserOperations.revoke(request, world, clientID: parts[1])
        }
        let (route, parameters) = try route(request.method, path)
        let caller = route.need.isForNobody ? .nobody : try caller(request)
        var call = Call(
            world: world, request: request, path: path, parameters: parameters, query: query, caller: caller)
        if route.needsRepository { call.found = try repository(call, route) }
        try route.need.check(call)
        call.body = try body(request)
        if let repository = call.found, request.method != "GET", repository.isArchived { throw .archived }
        return try route.handler(call)
    }

    private func checkFields(_ request: Request) throws(Refusal) {
        guard request.fields["User-Agent"]?.isEmpty == false else {
            throw Refusal(
                status: 403,
                message: """
                    Request forbidden by administrative rules. Please make sure your request has a User-Agent \
                    header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required).
                    """)
        }
        if let version = request.fields["X-GitHub-Api-Version"], version != Self.version {
            throw Refusal(status: 400, message: "The API version \"\(version)\" is not supported.")
        }
        if let accept = request.fields["Accept"], !MediaType.isKnown(accept) {
            throw Refusal(
                status: 415,
                message: "Unsupported 'Accept' header: '\(accept)'. Must accept 'application/json'.")
        }
    }

    /// The route, with the address's parts under its names.
    ///
    /// `/repositories/{id}/…` is the same as `/repos/{owner}/{repo}/…`.
    private func route(_ method: String, _ path: String) throws(Refusal) -> (Route, [String: String]) {
        var segments = path.split(separator: "/").map { Target.decoded(String($0)) }
        var byID: [String: String] = [:]
        if segments.count > 2, segments[0] == "repositories" {
            byID["id"] = segments[1]
            segments.replaceSubrange(0..<2, with: ["repos", "", ""])
        }
        for route in Route.all where route.method == method {
            if let found = route.match(segments) { return (route, found.merging(byID) { $1 }) }
        }
        throw .notFound
    }

    private func caller(_ request: Request) throws(Refusal) -> Caller {
        guard let field = request.fields["Authorization"] else {
            throw Refusal(status: 401, message: "Requires authentication")
        }
        let parts = field.split(separator: " ")
        guard parts.count == 2, ["bearer", "token"].contains(parts[0].lowercased()) else {
            throw .badCredentials
        }
        let secret = String(parts[1])
        if secret.contains(".") {
            try WebToken.verify(secret, world)
            return .app
        }
        if secret.hasPrefix("ghu_") {
            guard let token = world.with({ $0.userToken(secret) }) else { throw .badCredentials }
            guard !world.with({ $0.oauth.suspended.contains(token.personID) }) else {
                throw Refusal(status: 403, message: "Sorry. Your account was suspended.")
            }
            return .person(token)
        }
        guard let token = world.with({ $0.token(secret) }) else { throw .badCredentials }
        return .installation(token, secret: secret)
    }

    /// The repository that the address names, if the caller may see it.
    private func repository(_ call: Call, _ route: Route) throws(Refusal) -> Repository {
        let parameters = call.parameters
        let found = world.with { state -> (now: Repository?, before: Repository?) in
            if let id = parameters["id"] { return (Int64(id).flatMap { state.repositories[$0] }, nil) }
            let (owner, name) = (parameters["owner"] ?? "", parameters["repo"] ?? "")
            return (state.repository(owner, name), state.renamedRepository(owner, name))
        }
        guard let repository = found.now ?? found.before, isVisible(repository, call, route) else {
            throw .notFound
        }
        if found.now != nil { return repository }
        let rest = call.path.split(separator: "/").dropFirst(3).map { "/" + $0 }.joined()
        let query = call.request.target.firstIndex(of: "?").map { String(call.request.target[$0...]) } ?? ""
        let location = world.with { "\($0.api)/repositories/\(repository.id)\(rest)\(query)" }
        throw Refusal(
            status: call.request.method == "GET" ? 301 : 307, message: "Moved Permanently",
            fields: ["Location": location], more: ["url": .string(location)])
    }

    private func isVisible(_ repository: Repository, _ call: Call, _ route: Route) -> Bool {
        if !repository.isPrivate { return true }
        if case .person(let token) = call.caller {
            return world.with {
                $0.isExplicit(token.personID, in: repository) && $0.installation(reaching: repository) != nil
            }
        }
        guard case .installation(let token, _) = call.caller else { return route.need.isForApp }
        return world.with { $0.reaches(token, repository) }
    }

    private func body(_ request: Request) throws(Refusal) -> JSON {
        guard !request.body.isEmpty else { return [:] }
        if let type = request.fields["Content-Type"], !type.lowercased().hasPrefix("application/json") {
            throw Refusal(status: 415, message: "Unsupported Media Type: \(type)")
        }
        guard let body = JSON(request.body) else {
            throw Refusal(status: 400, message: "Problems parsing JSON")
        }
        guard body.object != nil else { throw Refusal(status: 400, message: "Body should be a JSON object") }
        return body
    }
}

/// What a client may ask an answer to be.
enum MediaType {
    /// Whether one of the types is served.
    static func isKnown(_ accept: String) -> Bool {
        accept.split(separator: ",").contains { part in
            let type = part.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
            return ["*/*", "application/*", "application/json"].contains(type)
                || type.hasPrefix("application/vnd.github")
        }
    }

    /// Whether a file's own bytes are asked for.
    static func isRaw(_ accept: String?) -> Bool {
        ["application/vnd.github.raw+json", "application/vnd.github.v3.raw", "application/vnd.github.raw"]
            .contains(accept?.lowercased())
    }
}
