import FoundationEssentials
import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// What there is to read about tasks: `GET /api/tasks…`.
///
/// The operator and admins see all; a person sees the tasks of the repositories that they see on GitHub. What
/// somebody does not see is as absent as what is not there.
extension Site {
    /// Tasks on a page at most.
    static var maximumPage: Int { 100 }
    /// Tasks on a page unless the query says otherwise.
    static var defaultPage: Int { 50 }
    /// Bytes of log in one answer at most.
    static var logPage: Int { 65_536 }
    /// Bytes of a query's value at most.
    static var maximumQueryValue: Int { 256 }

    static var taskRoutes: [Route] {
        [
            Route("GET", "/api/tasks", .reader) { (site, exchange) throws(Failure) in
                try site.list(exchange, states: nil)
            },
            Route("GET", "/api/tasks/history", .reader) { (site, exchange) throws(Failure) in
                try site.list(exchange, states: TaskState.allCases.filter(\.isFinal))
            },
            Route("GET", "/api/tasks/{id}", .reader) { (site, exchange) throws(Failure) in
                try site.show(exchange)
            },
            Route("GET", "/api/tasks/{id}/status", .reader) { (site, exchange) throws(Failure) in
                try site.showStatus(exchange)
            },
            Route("GET", "/api/tasks/{id}/log", .reader) { (site, exchange) throws(Failure) in
                try site.showLog(exchange)
            },
            Route("GET", "/api/tasks/{id}/prompt", .reader) { (site, exchange) throws(Failure) in
                try site.showPrompt(exchange)
            },
        ]
    }

    private func list(_ exchange: Exchange, states: [TaskState]?) throws(Failure) -> Response {
        var filter = try TaskFilter(query: exchange.query.fields, states: states)
        filter.visibleTo = try sight(exchange).person
        return try reading { () throws(StoreError) in
            let page = try work.world.store.listTasks(filter)
            return .json(
                200,
                .object([
                    "tasks": .array(page.tasks.map { .object(TaskView($0).json) }),
                    "next": .text(page.next?.rawValue),
                ]))
        }
    }

    private func show(_ exchange: Exchange) throws(Failure) -> Response {
        let task = try find(exchange)
        return try reading { () throws(StoreError) in
            var json = try view(task).json
            json["events"] = .array(
                try work.world.store.listEvents(task.id).map { event in
                    .object([
                        "at": .string(event.at.iso8601), "attempt": .whole(event.attempt),
                        "kind": .string(event.kind), "detail": .text(event.detail),
                    ])
                })
            return .json(200, .object(json))
        }
    }

    private func showStatus(_ exchange: Exchange) throws(Failure) -> Response {
        let task = try find(exchange)
        return .json(
            200,
            .object([
                "id": .string(task.id.rawValue), "status": .string(task.state.rawValue),
                "reason": .text(task.reason?.rawValue),
                "progress": TaskView(task: task, machineID: nil, callbacks: 0).progress,
            ]))
    }

    private func showLog(_ exchange: Exchange) throws(Failure) -> Response {
        let task = try find(exchange)
        let offset = try Self.number("offset", exchange.query.fields, in: 0...Int(Self.maximumCount)) ?? 0
        return try reading { () throws(StoreError) in
            let piece = try work.world.store.readLog(task.id, from: offset, most: Self.logPage)
            let isEnd = piece.text.count < Self.logPage
            // A character that the page's end cuts belongs to the next page; the log's limit may cut one, too.
            let text = piece.text.droppingCutCharacter
            return .json(
                200,
                .object([
                    "offset": .whole(offset), "next_offset": .whole(offset + text.count),
                    "text": .string(String(decoding: text, as: UTF8.self)),
                    "complete": .bool(task.state.isFinal && isEnd),
                ]))
        }
    }

    private func showPrompt(_ exchange: Exchange) throws(Failure) -> Response {
        let task = try find(exchange)
        return try reading { () throws(StoreError) in
            let prompt = try work.world.store.findPrompt(task.id)
            // A comment may hold a key of whoever asked, and others may read the prompt.
            let text = prompt.map { work.world.redactor.redact($0.text, about: task.author.id) }
            return .json(
                200,
                .object([
                    "prompt": .text(text),
                    "omissions": .array((prompt?.omissions ?? []).map(JSON.string)),
                ]))
        }
    }

    /// Whose eyes a request has.
    struct Sight {
        /// Nil sees everything.
        let person: Int64?
    }

    /// What the visitor sees.
    ///
    /// - Throws: 503 while GitHub has not said, or not lately enough, what the person sees: nothing is shown then.
    func sight(_ exchange: Exchange) throws(Failure) -> Sight {
        guard let visitor = exchange.visitor, !visitor.isAdmin else { return Sight(person: nil) }
        guard work.age(ofRightsFrom: visitor.rightsAt) != .unknown else { throw .rightsUnknown }
        return Sight(person: visitor.id)
    }

    /// The task that the address names, if the visitor sees it; then the query is looked at.
    func find(_ exchange: Exchange) throws(Failure) -> PorterTask {
        let task = try seen(exchange)
        _ = try exchange.query.fields
        return task
    }

    /// The task that the address names, if the visitor sees it.
    func seen(_ exchange: Exchange) throws(Failure) -> PorterTask {
        let sight = try sight(exchange)
        guard let id = exchange.path["id"].flatMap(TaskID.init(rawValue:)) else { throw .noTask }
        let task = try reading { () throws(StoreError) in try work.world.store.findTask(id) }
        // Until the author's permission is known, a task shows nowhere; of those from our own pages it is.
        guard let task, task.admittedAt != nil || task.state.isFinal || task.commentID < 0 else {
            throw .noTask
        }
        let isSeen = try reading { () throws(StoreError) in
            try sight.person.map { (person) throws(StoreError) in
                try work.world.store.findRight(person: person, repository: task.repository.id) != nil
            } ?? true
        }
        guard isSeen else { throw .noTask }
        return task
    }

    func view(_ task: PorterTask) throws(StoreError) -> TaskView {
        let attempt = try work.world.store.findAttempt(task.id, task.attempt)
        return TaskView(task: task, machineID: attempt?.machineID, callbacks: attempt?.callbacks ?? 0)
    }

    /// A whole number of the query, nil when it is not there.
    static func number(
        _ name: String, _ query: [String: String], in range: ClosedRange<Int>
    ) throws(Failure) -> Int? {
        guard let text = query[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw .parameter(
                name, "must be a whole number between \(range.lowerBound) and \(range.upperBound).")
        }
        return value
    }

    /// A moment of the query, nil when it is not there.
    static func moment(_ name: String, _ query: [String: String]) throws(Failure) -> Instant? {
        guard let text = query[name] else { return nil }
        guard let moment = Instant(iso8601: text) else {
            throw .parameter(name, "must be a time such as 2026-01-31T12:00:00Z.")
        }
        return moment
    }
}

extension Failure {
    /// GitHub has yet to say what the person sees.
    static let rightsUnknown: Failure = {
        var failure = Failure(
            503, "rights_unknown",
            "Porter is asking GitHub which repositories you can see. Try again in a few seconds.")
        failure.fields["Retry-After"] = "2"
        return failure
    }()
}

extension TaskFilter {
    /// Reads the query of a list.
    ///
    /// - Parameter states: the states that the address shows; nil for all.
    init(query: [String: String], states: [TaskState]?) throws(Failure) {
        self.init(limit: try Site.number("limit", query, in: 1...Site.maximumPage) ?? Site.defaultPage)
        for name in ["repo", "agent", "created_by", "search"] {
            guard let value = query[name] else { continue }
            guard value.utf8.count <= Site.maximumQueryValue, !value.utf8.contains(0) else {
                throw .parameter(name, "must be text of at most \(Site.maximumQueryValue) bytes.")
            }
        }
        self.states = states
        if let words = query["status"] {
            let asked = try words.split(separator: ",", omittingEmptySubsequences: false).map {
                (word) throws(Failure) in
                guard let state = TaskState(rawValue: String(word)) else {
                    throw .parameter(
                        "status", "must be of \(TaskState.allCases.map(\.rawValue).joined(separator: ", ")).")
                }
                return state
            }
            self.states = asked.filter { states?.contains($0) ?? true }
        }
        repository = query["repo"]
        agent = query["agent"]
        createdBy = query["created_by"]
        search = query["search"]
        issue = try Site.number("issue", query, in: 1...Int(Int32.max))
        from = try Site.moment("from", query)
        to = try Site.moment("to", query)
        if let cursor = query["cursor"] {
            guard let id = TaskID(rawValue: cursor) else {
                throw .parameter("cursor", "is not one that this list gave.")
            }
            before = id
        }
    }

}

extension [UInt8] {
    /// The bytes without a UTF-8 character at their end of which the rest is missing.
    fileprivate var droppingCutCharacter: ArraySlice<UInt8> {
        var start = endIndex
        // A character has at most four bytes, of which all but the first are marked.
        for back in 1...4 where back <= count {
            let byte = self[endIndex - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
            if length > back { start = endIndex - back }
            break
        }
        return self[..<start]
    }
}
