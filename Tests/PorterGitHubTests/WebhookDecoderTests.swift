import Foundation
import Porter
import PorterTestSupport
import Testing

@testable import PorterGitHub

@Suite struct WebhookDecoderTests {
    @Test func `a form gives up its payload, decoded`() throws {
        let form = Data("a=1&payload=%7B%22a%22%3A%22x+y%26%C3%B6%22%7D&b=2".utf8)

        for type in ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; charset=utf-8"]
        {
            #expect(try WebhookDecoder.payload(form, contentType: type) == Data(#"{"a":"x y&ö"}"#.utf8))
        }
        #expect(try WebhookDecoder.payload(form, contentType: "application/json") == form)
        #expect(try WebhookDecoder.payload(form, contentType: nil) == form)
    }

    @Test(arguments: ["", "payloads=x", "a=payload=x", "payload=%7", "payload=%", "payload=%zz"])
    func `a form without a sound payload is malformed`(form: String) {
        #expect(throws: WebhookDecoder.Malformed.self) {
            try WebhookDecoder.payload(Data(form.utf8), contentType: "application/x-www-form-urlencoded")
        }
    }

    @Test(arguments: [
        "", "[]", "\"x\"", "7", "null", "{", "{\"action\":7}", "{\"comment\":[]}", "{\"issue\":{}}",
        "{\"repository\":{\"id\":\"1\"}}",
    ])
    func `what is no event of that form is malformed`(text: String) {
        #expect(throws: WebhookDecoder.Malformed.self) {
            _ = try WebhookDecoder.decode("issue_comment", Data(text.utf8))
        }
    }

    @Test(arguments: [
        "issue_comment", "issues", "installation", "installation_repositories", "repository",
        "github_app_authorization", "push", "a new one", "",
    ])
    func `an event without what it is about is nothing to act on`(event: String) throws {
        for text in [
            "{}", #"{"action":null}"#, #"{"action":"closed"}"#, #"{"action":"created","issue":null}"#,
        ] {
            let decoded = try WebhookDecoder.decode(event, Data(text.utf8)).0
            guard event == "installation_repositories" else {
                #expect(decoded == .other)
                continue
            }
            #expect(decoded == .repositories([]))
        }
    }

    @Test func `a comment through an App or by a bot is told apart`() throws {
        func decode(_ change: (inout JSONValue) -> Void) throws -> CommentEvent {
            var payload = JSONValue.object([
                "action": .string("created"),
                "issue": .object(["number": .integer(3), "title": .null]),
                "repository": .object([
                    "id": .integer(1), "name": .string("r"),
                    "owner": .object(["id": .integer(2), "login": .string("o")]),
                ]),
                "comment": .object([
                    "id": .integer(5), "body": .string("hi"),
                    "user": .object(["id": .integer(8), "login": .string("p"), "type": .string("User")]),
                ]),
                "sender": .object(["id": .integer(8), "type": .string("User")]),
            ])
            change(&payload)
            let decoded = try WebhookDecoder.decode("issue_comment", payload.data)
            guard case .comment(let event) = decoded.0 else { throw Missing() }
            return event
        }
        struct Missing: Error {}

        let plain = try decode { _ in }
        #expect(!plain.isByApp && plain.authorType == "User" && !plain.isPullRequest)
        #expect(plain.repository == RepositoryRef(installationID: 0, id: 1, owner: "o", name: "r"))
        #expect(plain.issueTitle == "")
        let bot = try decode { $0["sender"] = .object(["id": .integer(8), "type": .string("Bot")]) }
        #expect(bot.isByApp)
        let through = try decode {
            $0["comment"]?["performed_via_github_app"] = .object(["id": .integer(1)])
        }
        #expect(through.isByApp)
        let nobodys = try decode { $0["comment"]?["performed_via_github_app"] = .null }
        #expect(!nobodys.isByApp)
        let pull = try decode { $0["issue"]?["pull_request"] = .object(["url": .string("u")]) }
        #expect(pull.isPullRequest)
        let installed = try decode { $0["installation"] = .object(["id": .integer(99)]) }
        #expect(installed.repository.installationID == 99)
    }

    @Test(
        .needsFixtures,
        arguments: [
            ("issues/opened.payload.json", "issues", CommandSource.opening),
            (
                "pull_request_review_comment/created.payload.json", "pull_request_review_comment",
                .reviewComment
            ),
            ("pull_request_review/submitted.payload.json", "pull_request_review", .review),
        ])
    func `an opened issue, a review and a comment on a line are texts with a source of their own`(
        file: String, event: String, source: CommandSource
    ) throws {
        let payload = try Fixtures.data("webhooks/\(file)")
        let recorded = try JSONValue(payload)

        let decoded = try WebhookDecoder.decode(event, payload)

        guard case .comment(let text) = decoded.0 else {
            Issue.record("\(event) is no text")
            return
        }
        #expect(text.action == "created" && text.source == source && !text.isEdited)
        let subject = recorded["review"] ?? recorded["comment"] ?? recorded["issue"]
        #expect(subject?["id"] == .integer(text.commentID))
        #expect(subject?["body"] == .string(text.body) || text.body.isEmpty)
        #expect(subject?["user"]?["id"] == .integer(text.author.id))
        #expect(text.createdAt != nil)
        #expect(text.isPullRequest == (source != .opening))
        #expect(text.commandID.source == source && text.commandID.number == text.commentID)
    }

    @Test(arguments: [
        ("issues", "edited"), ("issues", "transferred"), ("pull_request_review", "edited"),
        ("pull_request_review", "dismissed"),
    ])
    func `what happens to a text afterwards is nothing`(event: String, action: String) throws {
        let text = JSONValue.object([
            "id": .integer(5), "number": .integer(3), "body": .string("@porter x"),
            "user": .object(["id": .integer(8), "login": .string("p")]),
        ])
        let payload = JSONValue.object([
            "action": .string(action), "issue": text, "review": text, "pull_request": text,
            "repository": .object([
                "id": .integer(1), "owner": .object(["id": .integer(2), "login": .string("o")]),
            ]),
        ])

        #expect(try WebhookDecoder.decode(event, payload.data).0 == .other)
    }

    @Test func `an issue that was moved here was opened elsewhere`() throws {
        var payload = JSONValue.object([
            "action": .string("opened"),
            "issue": .object([
                "id": .integer(5), "number": .integer(3), "body": .string("@porter x"),
                "user": .object(["id": .integer(8), "login": .string("p")]),
            ]),
            "repository": .object([
                "id": .integer(1), "owner": .object(["id": .integer(2), "login": .string("o")]),
            ]),
        ])
        #expect(try WebhookDecoder.decode("issues", payload.data).0 != .other)

        payload["changes"] = .object(["old_issue": .object(["number": .integer(1)])])

        #expect(try WebhookDecoder.decode("issues", payload.data).0 == .other)
    }

    @Test(arguments: [
        ("created", InstallationChange.Change.created), ("deleted", .deleted), ("suspend", .suspended),
        ("unsuspend", .unsuspended), ("new_permissions_accepted", .permissionsAccepted),
    ])
    func `an installation's change is known by GitHub's word`(
        word: String, change: InstallationChange.Change
    ) throws {
        let payload = JSONValue.object([
            "action": .string(word),
            "installation": .object([
                "id": .integer(4), "account": .object(["id": .integer(5), "slug": .string("big")]),
            ]),
        ])

        let decoded = try WebhookDecoder.decode("installation", payload.data)

        #expect(decoded.action == word)
        #expect(
            decoded.0
                == .installation(
                    InstallationChange(
                        installationID: 4, account: Person(id: 5, login: "big"), change: change)))
    }

    @Test func `a repository without an installation is nothing of ours`() throws {
        var payload = JSONValue.object([
            "action": .string("deleted"),
            "repository": .object([
                "id": .integer(1), "name": .string("r"), "archived": .bool(true),
                "default_branch": .string("trunk"),
                "owner": .object(["id": .integer(2), "login": .string("o")]),
            ]),
        ])
        #expect(try WebhookDecoder.decode("repository", payload.data).0 == .other)

        payload["installation"] = .object(["id": .integer(9)])

        #expect(
            try WebhookDecoder.decode("repository", payload.data).0
                == .repositories([
                    RepositoryChange(
                        repository: RepositoryRef(installationID: 9, id: 1, owner: "o", name: "r"),
                        owner: Person(id: 2, login: "o"), defaultBranch: "trunk", isArchived: true,
                        isRemoved: true)
                ]))
    }
}

/// Deliveries as GitHub sent them, and in the poorest form that its schemas allow.
@Suite(.needsFixtures) struct WebhookPayloadTests {
    struct Payload: Sendable, CustomTestStringConvertible {
        let file: String
        let event: String

        var testDescription: String { file }

        func load() throws -> JSONValue { try JSONValue(Fixtures.data(file)) }

        /// The current schema of the event with its action.
        func schema(_ payload: JSONValue) throws -> JSONSchema? {
            let name = [event, payload["action"]?.text].compactMap { $0 }.joined(separator: ".")
            let file = "webhooks/_schemas_current/\(name).schema.json"
            guard Fixtures.names(in: "webhooks/_schemas_current").contains("\(name).schema.json") else {
                return nil
            }
            let schema = try JSONValue(Fixtures.data(file))
            return JSONSchema(schema, in: schema)
        }
    }

    static let all: [Payload] = {
        let events = Fixtures.names(in: "webhooks").filter { !$0.hasPrefix("_schemas") }
        return events.flatMap { event in
            Fixtures.names(in: "webhooks/\(event)").map { file in
                let name = event == "_derived" ? String(file.prefix { $0 != "." }) : event
                return Payload(file: "webhooks/\(event)/\(file)", event: name)
            }
        }
    }()

    @Test func `the collection is whole`() {
        #expect(Self.all.count == 71)
    }

    @Test(arguments: all)
    func `a delivery says the same by its members alone as by the decoder`(_ payload: Payload) throws {
        let bytes = try Fixtures.data(payload.file)

        let decoded = try JSONDecoder().decode(PorterGitHub.Payload.self, from: bytes)
        let read = try PorterGitHub.Payload(#require(JSONTree.read(bytes)))

        #expect(read.event(payload.event) == decoded.event(payload.event))
        #expect(read.action == decoded.action)
    }

    @Test(arguments: all)
    func `a delivery is one object, and decodes to what it says`(_ payload: Payload) throws {
        let bytes = try Fixtures.data(payload.file)
        let json = try payload.load()

        #expect(WebhookDecoder.isObject(bytes))
        let (event, action) = try WebhookDecoder.decode(payload.event, bytes)

        #expect(action == json["action"]?.text)
        switch (payload.event, json["action"]?.text) {
        case ("issue_comment", _): try expect(event, json)
        case ("issues", "opened"?), ("pull_request_review_comment", _), ("pull_request_review", "submitted"?):
            guard case .comment(let text) = event else { return wrong(event) }
            #expect(text.action == (action == "deleted" ? "deleted" : "created"))
            #expect(.integer(text.repository.id) == json.at("repository/id"))
        case ("issues", "closed"?):
            guard case .issueClosed = event else { return wrong(event) }
        case ("installation", _):
            guard case .installation(let change) = event else { return wrong(event) }
            #expect(.integer(change.installationID) == json.at("installation/id"))
            #expect(.integer(change.account.id) == json.at("installation/account/id"))
            #expect(change.change.rawValue == action)
        case ("installation_repositories", _):
            guard case .repositories(let changes) = event else { return wrong(event) }
            let added = json["repositories_added"]?.elements ?? []
            let removed = json["repositories_removed"]?.elements ?? []
            #expect(changes.map { .integer($0.repository.id) } == (added + removed).map { $0["id"] })
            #expect(
                changes.map { .string($0.repository.fullName) } == (added + removed).map { $0["full_name"] })
            #expect(changes.filter(\.isRemoved).count == removed.count)
            for change in changes {
                #expect(.integer(change.owner.id) == json.at("installation/account/id"))
                #expect(.integer(change.repository.installationID) == json.at("installation/id"))
            }
        case ("repository", _) where json["installation"] != nil:
            guard case .repositories(let changes) = event else { return wrong(event) }
            let change = try #require(changes.first)
            #expect(.string(change.repository.fullName) == json.at("repository/full_name"))
            #expect(change.defaultBranch.map { .string($0) } == json.at("repository/default_branch"))
            #expect(change.isArchived.map { .bool($0) } == json.at("repository/archived"))
        case ("github_app_authorization", _):
            guard case .authorizationRevoked(let person) = event else { return wrong(event) }
            #expect(.integer(person.id) == json.at("sender/id"))
            #expect(.string(person.login) == json.at("sender/login"))
        default: #expect(event == .other)
        }
    }

    private func wrong(_ event: WebhookEvent) {
        Issue.record("it was taken for \(event)")
    }

    private func expect(_ event: WebhookEvent, _ json: JSONValue) throws {
        guard case .comment(let comment) = event else { return wrong(event) }
        #expect(comment.action == json["action"]?.text)
        #expect(.string(comment.repository.fullName) == json.at("repository/full_name"))
        #expect(.integer(comment.repository.id) == json.at("repository/id"))
        #expect(.integer(comment.repository.installationID) == json.at("installation/id") ?? .integer(0))
        #expect(.integer(comment.repositoryOwner.id) == json.at("repository/owner/id"))
        #expect(.integer(Int64(comment.issueNumber)) == json.at("issue/number"))
        #expect(.string(comment.issueTitle) == json.at("issue/title"))
        #expect(.string(comment.issueBody) == json.at("issue/body"))
        #expect(.integer(comment.commentID) == json.at("comment/id"))
        #expect(.string(comment.commentURL) == json.at("comment/html_url"))
        #expect(.string(comment.body) == json.at("comment/body"))
        #expect(.integer(comment.author.id) == json.at("comment/user/id"))
        #expect(.string(comment.authorType) == json.at("comment/user/type"))
        #expect(comment.isPullRequest == (json.at("issue/pull_request") != nil))
    }

    @Test(arguments: all, JSONSchema.Thinning.allCases)
    func `a delivery without its optional fields decodes to the same kind of event`(
        _ payload: Payload, _ thinning: JSONSchema.Thinning
    ) throws {
        let json = try payload.load()
        guard let schema = try payload.schema(json) else { return }
        let whole = try WebhookDecoder.decode(payload.event, json.data).0

        let thin = try WebhookDecoder.decode(payload.event, schema.thinned(json, thinning).data).0

        switch (whole, thin) {
        case (.comment(let one), .comment(let other)):
            #expect(
                one.commentID == other.commentID && one.body == other.body && one.author.id == other.author.id
            )
        case (.issueClosed, .issueClosed), (.installation, .installation), (.repositories, .repositories),
            (.authorizationRevoked, .authorizationRevoked), (.other, .other):
            break
        // A comment whose author is deleted, an installation without an account: nobody to act for.
        case (.comment, .other) where thinning == .nulled, (.installation, .other) where thinning == .nulled:
            break
        // Without its installation, which is optional, a repository is none of ours.
        case (.repositories, .other) where payload.event == "repository": break
        default: Issue.record("\(whole) became \(thin)")
        }
    }

    @Test func `the derived deliveries are as today's schemas have them`() throws {
        let derived = Self.all.filter { $0.file.contains("_derived") }
        #expect(derived.count == 5)
        for payload in derived {
            let json = try payload.load()
            let schema = try #require(try payload.schema(json), "\(payload.file)")
            #expect(schema.problems(json) == [], "\(payload.file)")
        }
    }
}
