import PlaygroundFace
import FoundationEssentials
import Porter
import PorterHTTP
import PorterProcess

/// A request of git's smart protocol.
///
/// - SeeAlso: <https://git-scm.com/docs/http-protocol>
struct GitCall: Sendable {
    /// What git wants to do.
    enum Service: String, Sendable {
        case fetch = "git-upload-pack"
        case push = "git-receive-pack"
    }

    let owner: String
    let name: String
    /// Below the repository: `info/refs`, `git-upload-pack`, `git-receive-pack`.
    let rest: String
    let query: String
    let service: Service

    /// Nil when the request is something else.
    init?(_ request: Request) {
        let parts = request.target.split(separator: "?", maxSplits: 1)
        guard let path = parts.first else { return nil }
        let segments = path.split(separator: "/").map { Target.decoded(String($0)) }
        guard segments.count > 2 else { return nil }
        owner = segments[0]
        name = segments[1].hasSuffix(".git") ? String(segments[1].dropLast(4)) : segments[1]
        rest = segments[2...].joined(separator: "/")
        query = parts.count > 1 ? String(parts[1]) : ""
        let asked =
            rest == "info/refs"
            ? Target.split(request.target).query["service"] : request.method == "POST" ? rest : nil
        guard let service = asked.flatMap(Service.init(rawValue:)) else { return nil }
        self.service = service
    }
}

/// The repositories over HTTP: git's own `http-backend` behind GitHub's questions.
///
/// - SeeAlso: <https://git-scm.com/docs/git-http-backend>
struct GitBackend: Sendable {
    let world: World

    static let program = "/usr/lib/git-core/git-http-backend"
    static let patience = Duration.seconds(600)
    /// Bytes of an answer at most.
    static let mostOutput = 1024 * 1024 * 1024

    /// Serves a repository to a caller who may have it.
    func answer(_ request: Request, _ call: GitCall) -> Response {
        let repository: Repository
        let token: Token?
        do throws(Refusal) {
            (repository, token) = try admit(request, call)
        } catch {
            return plain(error)
        }
        let name = world.with { $0.fullName(repository) }
        let asked = call.rest == GitCall.Service.push.rawValue ? PushCommand.read(request.body) : []
        let response = serve(request, call, repository, name, token)
        switch call.rest {
        case GitCall.Service.push.rawValue: record(asked, repository, name, token)
        case GitCall.Service.fetch.rawValue where request.body.contains("want ".utf8):
            world.effects.append("git.fetch", actor: actor(token), place(repository, name, token))
        default: break
        }
        return response
    }

    /// Who may do that, in GitHub's order: known at all, seen at all, allowed.
    private func admit(
        _ request: Request, _ call: GitCall
    ) throws(Refusal) -> (Repository, Token?) {
        let found = world.with { state in
            (
                now: state.repository(call.owner, call.name),
                before: state.renamedRepository(call.owner, call.name)
            )
        }
        let secret = credential(request)
        let token = secret.flatMap { secret in world.with { $0.token(secret) } }
        if secret != nil, token == nil {
            throw unauthorized("Invalid username or password.")
        }
        guard let repository = found.now ?? found.before else {
            if token == nil { throw unauthorized("Repository not found.") }
            throw Refusal(status: 404, message: "Repository not found.")
        }
        let isReached = token.map { token in world.with { $0.reaches(token, repository) } } ?? false
        if token == nil, repository.isPrivate || call.service == .push {
            throw unauthorized("Authentication required.")
        }
        guard isReached || !repository.isPrivate else {
            throw Refusal(status: 404, message: "Repository not found.")
        }
        if found.now == nil {
            let path = world.with { "\($0.origin)/\($0.fullName(repository)).git/\(call.rest)" }
            let query = call.query.isEmpty ? "" : "?\(call.query)"
            throw Refusal(status: 301, message: "Moved.", fields: ["Location": path + query])
        }
        try permit(call, repository, isReached ? token : nil)
        return (repository, token)
    }

    private func permit(_ call: GitCall, _ repository: Repository, _ token: Token?) throws(Refusal) {
        let name = world.with { $0.fullName(repository) }
        switch call.service {
        case .fetch:
            guard !repository.isPrivate || token?.allows("contents", .read) == true else {
                throw Refusal(status: 403, message: "Write access to repository not granted.")
            }
        case .push:
            guard token?.allows("contents", .write) == true else {
                throw Refusal(status: 403, message: "Permission to \(name).git denied to \(actor(token)).")
            }
            guard !repository.isArchived else {
                throw Refusal(status: 403, message: "This repository was archived so it is read-only.")
            }
        }
    }

    /// The password of Basic authentication, for the user that stands for tokens.
    private func credential(_ request: Request) -> String? {
        guard let field = request.fields["Authorization"] else { return nil }
        let parts = field.split(separator: " ")
        guard parts.count == 2, parts[0].lowercased() == "basic",
            let text = Data(base64Encoded: String(parts[1])).map({ String(decoding: $0, as: UTF8.self) }),
            text.hasPrefix("x-access-token:")
        else { return "" }
        return String(text.dropFirst("x-access-token:".count))
    }

    private func unauthorized(_ message: String) -> Refusal {
        Refusal(status: 401, message: message, fields: ["WWW-Authenticate": "Basic realm=\"GitHub\""])
    }

    /// Git shows plain text to the person, after `remote:`.
    private func plain(_ refusal: Refusal) -> Response {
        var fields = refusal.fields
        fields["Content-Type"] = "text/plain; charset=utf-8"
        return Response(status: refusal.status, fields: fields, body: Data((refusal.message + "\n").utf8))
    }

    /// Runs `http-backend` as the common gateway interface has it.
    private func serve(
        _ request: Request, _ call: GitCall, _ repository: Repository, _ name: String, _ token: Token?
    ) -> Response {
        var environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROJECT_ROOT": world.git.root, "PATH_INFO": "/\(name).git/\(call.rest)",
            "REQUEST_METHOD": request.method, "QUERY_STRING": call.query,
            "CONTENT_TYPE": request.fields["Content-Type"] ?? "",
            "CONTENT_LENGTH": String(request.body.count), "REMOTE_USER": actor(token),
            "REMOTE_ADDR": "127.0.0.1",
        ]
        if let encoding = request.fields["Content-Encoding"] {
            environment["HTTP_CONTENT_ENCODING"] = encoding
        }
        if let version = request.fields["Git-Protocol"] { environment["GIT_PROTOCOL"] = version }
        environment.merge(PushRules.environment(repository, token, world.git)) { $1 }
        let command = Command(Self.program, [], environment: environment, input: Array(request.body))
        guard let result = try? command.run(timeout: Self.patience, mostOutput: Self.mostOutput),
            result.isGood, let response = CommonGatewayAnswer.read(Data(result.output))
        else { return Response(status: 500, body: Data("git failed\n".utf8)) }
        return call.rest == GitCall.Service.push.rawValue ? PushReport.reworded(response) : response
    }

    private func record(_ asked: [PushCommand], _ repository: Repository, _ name: String, _ token: Token?) {
        let git = world.git.repository(name)
        for command in asked {
            let now = git.text(["rev-parse", "-q", "--verify", command.ref]) ?? PushCommand.zero
            let isDone = now == command.new
            world.effects.append(
                "git.push", actor: actor(token),
                place(repository, name, token) + [
                    "ref": .string(command.ref), "old": .string(command.old), "new": .string(command.new),
                    "accepted": .bool(isDone),
                ])
            guard isDone, command.ref.hasPrefix("refs/heads/") else { continue }
            world.with { state in
                let now = state.now
                state.repositories[repository.id]?.pushedAt = now
                world.synchronize(
                    &state, repository.id, String(command.ref.dropFirst(11)), command.new,
                    by: state.app.botID)
            }
        }
    }

    private func actor(_ token: Token?) -> String {
        token == nil ? "anonymous" : world.with { "\($0.app.slug)[bot]" }
    }

    private func place(_ repository: Repository, _ name: String, _ token: Token?) -> JSON {
        [
            "repository": .string(name), "repository_id": .int(repository.id), "token": .some(token?.id),
        ]
    }
}

/// What a program behind the common gateway interface says.
enum CommonGatewayAnswer {
    /// Header lines, an empty line, a body.
    static func read(_ output: Data) -> Response? {
        guard let end = output.firstRange(of: Data("\r\n\r\n".utf8)) else { return nil }
        var response = Response(status: 200, body: Data(output[end.upperBound...]))
        for line in String(decoding: output[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = String(line[line.index(after: colon)...]).trimmed
            if line[..<colon].lowercased() == "status" {
                response.status = Int(value.prefix(3)) ?? 500
            } else {
                response.fields.append(String(line[..<colon]), value)
            }
        }
        return response
    }
}
