import PlaygroundFace
import Porter
import PorterCrypto
import PorterHTTP

/// Operations on the gists of whoever has signed in.
///
/// - SeeAlso: <https://docs.github.com/en/rest/gists/gists>
enum GistOperations {
    static func list(_ call: Call) throws(Refusal) -> Response {
        let person = call.person
        return try call.page(
            call.world.with { state in
                state.gists(of: person).map { state.json($0, withContent: false) }
            })
    }

    static func show(_ call: Call) throws(Refusal) -> Response {
        let id = call.parameters["id"]
        return .gitHub(
            try call.world.with { state throws(Refusal) in
                // Whoever knows the address can read it, private or not.
                guard let gist = state.gists.first(where: { $0.id == id }) else { throw Refusal.notFound }
                return state.json(gist)
            })
    }

    static func create(_ call: Call) throws(Refusal) -> Response {
        let files = try files(call)
        guard !files.isEmpty else { throw .missing("files") }
        let (person, world) = (call.person, call.world)
        return .gitHub(
            try world.with { state throws(Refusal) in
                let gist = Gist(
                    id: SecureRandom.bytes(16).hexadecimal, ownerID: person,
                    description: call.body["description"].string ?? "",
                    isPublic: call.body["public"].bool ?? false, files: files.compactMapValues { $0 },
                    createdAt: state.now, updatedAt: state.now)
                state.gists.append(gist)
                log("gist.created", gist, call, state)
                return state.json(gist)
            }, 201)
    }

    static func edit(_ call: Call) throws(Refusal) -> Response {
        let files = try files(call)
        let id = call.parameters["id"]
        let (person, world) = (call.person, call.world)
        return .gitHub(
            try world.with { state throws(Refusal) in
                let found = state.gists.firstIndex { $0.id == id && $0.ownerID == person }
                guard let index = found else { throw Refusal.notFound }
                var gist = state.gists[index]
                if let text = call.body["description"].string { gist.description = text }
                for (name, text) in files { gist.files[name] = text }
                gist.updatedAt = state.now
                state.gists[index] = gist
                log("gist.edited", gist, call, state)
                return state.json(gist)
            })
    }

    /// The files of the body by name; nil for one that is to go.
    private static func files(_ call: Call) throws(Refusal) -> [String: String?] {
        guard !call.body["files"].isNull else { return [:] }
        guard let members = call.body["files"].object else { throw .invalid("files", "object") }
        var found: [String: String?] = [:]
        for (name, file) in members {
            let text = file["content"].string
            if !file.isNull, text?.isEmpty != false {
                throw .validation("Gist", field: "files", code: "missing_field")
            }
            found[name] = .some(text)
        }
        return found
    }

    private static func log(_ kind: String, _ gist: Gist, _ call: Call, _ state: State) {
        call.world.effects.append(
            kind, actor: state.accounts[gist.ownerID]?.login ?? "ghost",
            [
                "gist": .string(gist.id), "public": .bool(gist.isPublic),
                "description": .string(gist.description), "files": .strings(gist.files.keys.sorted()),
                "token": .int(call.credentialID),
            ])
    }
}
