import PlaygroundFace
import FoundationEssentials
import Porter
import PorterHTTP

/// Who calls the API.
enum Caller: Sendable {
    /// The App itself, by its JSON web token.
    case app
    /// Whoever has no credential, for the one operation that needs none.
    case nobody
    case installation(Token, secret: String)
    /// Somebody who signed in with the App.
    case person(UserToken)
}

/// A request of the API, with everything that was found out about it.
struct Call: Sendable {
    let world: World
    let request: Request
    /// Below the API's address, undecoded.
    let path: String
    /// The address's parts by the names that they have in the route, decoded.
    let parameters: [String: String]
    let query: [String: String]
    let caller: Caller
    /// The repository that the address names.
    var found: Repository?
    var body: JSON = [:]

    /// The repository, in operations that have one.
    var repository: Repository {
        guard let found else { preconditionFailure("the route names no repository") }
        return found
    }

    /// The repository's bare git repository.
    var git: GitRepository { world.git.repository(world.with { $0.fullName(repository) }) }

    /// The token, in operations of installations.
    var token: Token {
        guard case .installation(let token, _) = caller else {
            preconditionFailure("the route is not for installations")
        }
        return token
    }

    /// The person, in operations of people.
    var person: Int64 {
        guard case .person(let token) = caller else { preconditionFailure("the route is not for people") }
        return token.personID
    }

    /// The credential's name in the effect log.
    var credentialID: Int64 {
        if case .person(let token) = caller { token.id } else { token.id }
    }

    /// The account that changes are made in the name of.
    func botID(_ state: State) -> Int64 {
        if case .person(let token) = caller { token.personID } else { state.app.botID }
    }

    /// Who the effect log names.
    var actor: String { world.with { $0.accounts[botID($0)]?.login ?? "ghost" } }

    /// A part of the address that is a number; other words name nothing.
    func number(_ name: String) throws(Refusal) -> Int64 {
        guard let number = parameters[name].flatMap({ Int64($0) }) else { throw .notFound }
        return number
    }

    /// The issue that the address names by its number.
    func issue(_ state: State) throws(Refusal) -> Issue {
        try state.issue(repository, Int(try number("number")))
    }

    /// The comment that the address names.
    func comment(_ state: State) throws(Refusal) -> IssueComment {
        guard let comment = state.comments[try number("comment")], comment.issue.repositoryID == repository.id
        else { throw .notFound }
        return comment
    }

    /// A string of the body that must be there.
    func text(_ name: String) throws(Refusal) -> String {
        let value = body[name]
        guard !value.isNull else { throw .missing(name) }
        guard let text = value.string else { throw .invalid(name, "string") }
        return text
    }

    /// The page of a list that was asked for, with its `Link`.
    ///
    /// - SeeAlso: <https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>
    func page(_ items: [JSON], _ wrap: ([JSON]) -> JSON = { .array($0) }) throws(Refusal) -> Response {
        let size = min(100, max(1, query["per_page"].flatMap { Int($0) } ?? 30))
        let page = max(1, query["page"].flatMap { Int($0) } ?? 1)
        let last = max(1, (items.count + size - 1) / size)
        var links: [String] = []
        func link(_ relation: String, _ number: Int) {
            links.append("<\(address(["page": String(number)]))>; rel=\"\(relation)\"")
        }
        if page > 1 { link("prev", page - 1) }
        if page < last {
            link("next", page + 1)
            link("last", last)
        }
        if page > 1 { link("first", 1) }
        var response = Response.gitHub(wrap(Array(items.dropFirst((page - 1) * size).prefix(size))))
        if !links.isEmpty { response.fields["Link"] = links.joined(separator: ", ") }
        return response
    }

    /// This call's address with other values in its query; repositories are named by their ids, as GitHub does.
    func address(_ change: [String: String]) -> String {
        var path = path
        if let found, path.hasPrefix("/repos/") {
            let rest = path.split(separator: "/").dropFirst(3).map { "/" + $0 }.joined()
            path = "/repositories/\(found.id)\(rest)"
        }
        let pairs = query.merging(change) { $1 }.sorted { $0.key < $1.key }
        let text = pairs.map { "\(Target.encoded($0.key))=\(Target.encoded($0.value))" }
        return world.with { $0.api } + path + "?" + text.joined(separator: "&")
    }
}

extension Response {
    /// An answer in JSON, labelled as GitHub's are.
    static func gitHub(_ json: JSON, _ status: Int = 200) -> Response {
        Response(
            status: status, fields: ["Content-Type": "application/json; charset=utf-8"], body: json.data)
    }

    /// An answer without a body.
    static let nothing = Response(status: 204)
}
