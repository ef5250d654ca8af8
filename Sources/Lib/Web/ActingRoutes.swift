import FoundationEssentials
import Porter
import PorterAgents
import PorterCommands
import PorterHTTP
import PorterStore
import PorterWork

/// What signed-in people start and stop: `POST /api/tasks`, `…/retry`, `…/stop`.
extension Site {
    /// Bytes of a request's body at most.
    static var maximumRequest: Int { 524_288 }
    /// Characters of instructions at most: what a comment or an issue on GitHub takes.
    static var maximumInstructions: Int { 65_000 }

    static var actingRoutes: [Route] {
        let ask = Route("POST", "/api/tasks", .person, maximumBody: maximumRequest) {
            (site, exchange) throws(Failure) in try site.ask(exchange)
        }
        return [ask]
            + ["POST", "PUT"].flatMap { method in
                [
                    Route(method, "/api/tasks/{id}/retry", .person) { (site, exchange) throws(Failure) in
                        try site.retry(exchange)
                    },
                    Route(method, "/api/tasks/{id}/stop", .person) { (site, exchange) throws(Failure) in
                        try site.stop(exchange)
                    },
                ]
            }
    }

    /// The part of the body that names the object.
    private struct PlaceBody: Decodable {
        let repo_owner: String
        let repo_name: String
    }

    private struct AskBody: Decodable {
        @JSONNumber var issue_number: Int?
        let instructions: String
        let agent: String?
        let model: String?
        let priority: String?
        let base_branch: String?
        @JSONNumber var timeout_s: Int?
        let draft: Bool?

        static let fields = [
            "repo_owner", "repo_name", "issue_number", "instructions", "agent", "model", "priority",
            "base_branch",
            "timeout_s", "draft",
        ]
    }

    private func ask(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        _ = try sight(exchange)
        // Whether it is there and may be pushed to comes before whatever else the body says.
        let repository = try place(exchange, visitor)
        let body = try Bodies.read(AskBody.self, only: AskBody.fields, exchange)
        let request = TaskRequest(
            repository: repository, issue: body.issue_number, wish: try wish(body, by: visitor.person))
        let id = try acting { () throws(ActingFailure) in
            try work.ask(request, by: visitor.person, address: exchange.request.peer)
        }
        return try show(id, 201)
    }

    private func place(_ exchange: Exchange, _ visitor: Visitor) throws(Failure) -> RepositoryRef {
        let place = try Bodies.read(PlaceBody.self, exchange)
        for (field, name) in [("repo_owner", place.repo_owner), ("repo_name", place.repo_name)] {
            guard (1...100).contains(name.utf8.count) else {
                throw .field(field, "must have 1 to 100 bytes.")
            }
        }
        return try acting { () throws(ActingFailure) in
            try work.findPlace(
                owner: place.repo_owner, name: place.repo_name, for: visitor.person, seesAll: visitor.isAdmin)
        }
    }

    private func retry(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        let task = try findToAct(exchange, visitor)
        let id = try acting { () throws(ActingFailure) in
            try work.retry(task, by: visitor.person, address: exchange.request.peer)
        }
        return try show(id, 201)
    }

    private func stop(_ exchange: Exchange) throws(Failure) -> Response {
        let visitor = try exchange.person
        let task = try findToAct(exchange, visitor)
        let result = try acting { () throws(ActingFailure) in
            try work.stop(task, by: visitor.person, address: exchange.request.peer)
        }
        switch result {
        case .asked: return try show(task.id, 202)
        case .askedBefore: return try show(task.id, 200)
        case .ended: throw Failure(409, "ended", "The task has ended, so there is nothing to stop.")
        }
    }

    /// The task that the address names, if the visitor sees it and may act on it.
    private func findToAct(_ exchange: Exchange, _ visitor: Visitor) throws(Failure) -> PorterTask {
        let task = try seen(exchange)
        let mayAct = try reading { () throws(StoreError) in
            try work.canPush(visitor.person, to: task.repository.id)
        }
        guard mayAct else { throw Failure(.notPermitted) }
        _ = try exchange.query.fields
        return task
    }

    private func show(_ id: TaskID, _ status: Int) throws(Failure) -> Response {
        try reading { () throws(StoreError) in
            guard let task = try work.world.store.findTask(id) else { return Failure.noTask.response }
            return .json(status, .object(try view(task).json))
        }
    }

    /// Checks each field by the same rules as a command's flags.
    private func wish(_ body: AskBody, by person: Person) throws(Failure) -> TaskWish {
        let defaults = try reading { () throws(StoreError) in try work.runDefaults(of: person) }
        func require(_ holds: Bool, _ field: String, _ words: String) throws(Failure) {
            if !holds { throw .field(field, words) }
        }
        if let number = body.issue_number {
            try require((1...Int(Int32.max)).contains(number), "issue_number", "must be an issue's number.")
        }
        let text = body.instructions.storable
        try require(
            text.unicodeScalars.count <= Self.maximumInstructions, "instructions",
            "has \(text.unicodeScalars.count) characters, and takes \(Self.maximumInstructions) at most.")
        try require(
            body.issue_number != nil || !text.allSatisfy(\.isWhitespace), "instructions",
            "is empty, and without `issue_number` it becomes the issue's text.")
        var agent: String?
        if let name = body.agent {
            agent = work.world.catalog.find(name)?.name
            let known = work.world.catalog.agents.map(\.name).joined(separator: ", ")
            try require(agent != nil, "agent", "must be one of \(known).")
        }
        let priority = body.priority.map(Priority.init(rawValue:)) ?? defaults.priority
        try require(priority != nil, "priority", "must be low, normal or high.")
        if let model = body.model {
            try require(
                FlagRules.isModel(model), "model",
                "must be a model's name of at most 100 letters, digits and `._:/@+-`.")
        }
        if let branch = body.base_branch {
            try require(FlagRules.isBranch(branch), "base_branch", "must be the name of a branch.")
        }
        let limits = work.policy.limits
        let timeout = body.timeout_s ?? defaults.timeout
        try require(
            (FlagRules.minimumTimeout...limits.taskMaximum).contains(timeout), "timeout_s",
            "must lie between \(FlagRules.minimumTimeout) and \(limits.taskMaximum).")
        return TaskWish(
            agent: agent, model: body.model, priority: priority ?? .normal, base: body.base_branch,
            timeout: timeout, isDraft: body.draft ?? defaults.isDraft, context: defaults.context,
            instructions: text)
    }

    private func acting<T>(_ body: () throws(ActingFailure) -> T) throws(Failure) -> T {
        do throws(ActingFailure) {
            return try body()
        } catch {
            throw Failure(error)
        }
    }
}

extension Failure {
    /// What a person asked for is not done.
    init(_ error: ActingFailure) {
        switch error {
        case .noRepository:
            self.init(404, "not_found", "There is no such repository that you can see and Porter serves.")
        case .notPermitted:
            self.init(403, "forbidden", "You can see this repository, and cannot push to it.")
        case .notEnded:
            self.init(409, "not_ended", "The task has not ended yet, so it cannot be tried again.")
        case .neverPermitted:
            self.init(
                409, "not_permitted", "Nobody who may has asked for this task, so it cannot be tried again.")
        case .field(let name, let words): self = .field(name, words)
        case .signInAgain: self = .signInAgain
        case .github(let words):
            self.init(503, "github", words)
            fields["Retry-After"] = "60"
        case .store(let error): self.init(error)
        }
    }
}
