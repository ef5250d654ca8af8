package import Porter

/// Whose settings a value belongs to, as the database names it.
package enum SettingsScope: Hashable, Sendable {
    /// A person's own.
    case person(Int64)
    /// The team's, which admins change.
    case shared
    /// A repository's, which admins change.
    case repository(Int64)

    /// The scope of that name; nil for `instance` and whatever else has no settings that people change.
    package init?(_ name: String) {
        func number(after prefix: String) -> Int64? {
            name.hasPrefix(prefix) ? Int64(name.dropFirst(prefix.count)) : nil
        }
        if name == "shared" {
            self = .shared
        } else if let id = number(after: "user:") {
            self = .person(id)
        } else if let id = number(after: "repository:") {
            self = .repository(id)
        } else {
            return nil
        }
    }

    /// Whose texts a secret of this scope must be kept out of.
    package var redactorsOwner: Redactor.Owner {
        switch self {
        case .person(let id): .person(id)
        case .shared, .repository: .team
        }
    }

    /// The text in the column `scope`.
    package var name: String {
        switch self {
        case .person(let id): "user:\(id)"
        case .shared: "shared"
        case .repository(let id): "repository:\(id)"
        }
    }
}

/// One setting that people change: what it may be, and whose it can be.
package struct Preference: Hashable, Sendable {
    /// What a value must look like.
    package enum Kind: Hashable, Sendable {
        /// The name of an agent of the catalog.
        case agent
        /// A model as an agent's program names it.
        case model
        case choice([String])
        case flag
        /// A whole number within the bounds.
        case number(ClosedRange<Int>)
    }

    /// The kinds of owner that a setting may have.
    package enum Level: Hashable, Sendable {
        case person
        case repository
        case shared
    }

    /// The name in `PATCH /api/config`, and in the database.
    package let name: String
    /// What a value must look like.
    package let kind: Kind
    /// Who may have a value of their own.
    package let levels: Set<Level>
    /// The variable that, when it is given, stands over the stored value.
    package let variable: String?

    private init(_ name: String, _ kind: Kind, _ levels: Set<Level>, variable: String? = nil) {
        self.name = name
        self.kind = kind
        self.levels = levels
        self.variable = variable
    }

    /// All of them.
    ///
    /// - Parameter longestTimeout: `PORTER_TASK_TIMEOUT_MAX`, in seconds.
    package static func all(longestTimeout: Int) -> [Preference] {
        [
            Preference("default_agent", .agent, [.person, .repository, .shared]),
            Preference("default_model", .model, [.person, .repository, .shared]),
            Preference("default_priority", .choice(Priority.allCases.map(\.rawValue)), [.person, .shared]),
            Preference("draft", .flag, [.person, .shared]),
            Preference("context", .choice(["writers", "all"]), [.person, .shared]),
            Preference(
                "timeout_s", .number(60...max(60, longestTimeout)), [.person, .shared],
                variable: "PORTER_TASK_TIMEOUT"),
            Preference("stall_timeout_s", .number(10...86_400), [.shared], variable: "PORTER_STALL_TIMEOUT"),
            Preference("tasks_per_user", .number(1...1000), [.shared], variable: "PORTER_TASKS_PER_USER"),
            Preference("tasks_total", .number(1...1000), [.shared], variable: "PORTER_TASKS_TOTAL"),
            Preference(Work.mirrorSetting, .flag, [.person]),
        ]
    }
}

/// The values of a scope, or of several merged.
package struct Preferences: Hashable, Sendable {
    /// JSON by name, as the database holds it.
    package let values: [String: String]

    /// The values of a scope.
    package init(_ values: [String: String]) {
        self.values = values
    }

    /// A text that is set, nil otherwise.
    package func text(_ name: String) -> String? {
        guard let json = values[name], json.hasPrefix("\"") else { return nil }
        return JSONText.decoded(json)
    }

    /// A whole number that is set, nil otherwise.
    package func number(_ name: String) -> Int? { values[name].flatMap { Int($0) } }

    /// A flag that is set, nil otherwise.
    package func flag(_ name: String) -> Bool? { values[name].flatMap { Bool($0) } }
}
