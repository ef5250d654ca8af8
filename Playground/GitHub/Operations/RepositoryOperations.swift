import PlaygroundFace
import Porter
import PorterHTTP

/// Operations on repositories and who may do what in them.
enum RepositoryOperations {
    /// - SeeAlso: <https://docs.github.com/en/rest/repos/repos#get-a-repository>
    static func show(_ call: Call) throws(Refusal) -> Response {
        .gitHub(call.world.with { $0.json(full: call.repository) })
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app>
    static func installation(_ call: Call) throws(Refusal) -> Response {
        guard
            let json = call.world.with({ state in
                state.installation(reaching: call.repository).map { state.json($0) }
            })
        else { throw .notFound }
        return .gitHub(json)
    }

    /// - SeeAlso: <https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user>
    static func permission(_ call: Call) throws(Refusal) -> Response {
        let login = call.parameters["login"] ?? ""
        let json = call.world.with { state -> JSON? in
            guard let account = state.account(login), account.kind == .user else { return nil }
            let level = state.level(account.id, in: call.repository)
            let role: JSON = .string(level.rawValue)
            let rights: JSON = [
                "pull": .bool(level >= .read), "triage": .bool(level >= .triage),
                "push": .bool(level >= .write), "maintain": .bool(level >= .maintain),
                "admin": .bool(level >= .admin),
            ]
            return [
                "permission": .string(level.permission), "role_name": role,
                "user": state.json(account: account.id) + ["permissions": rights, "role_name": role],
            ]
        }
        guard let json else {
            throw Refusal(status: 404, message: "\(login) is not a user")
        }
        return .gitHub(json)
    }
}
