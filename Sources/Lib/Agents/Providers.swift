/// A service that agents reach with a key: which variables belong to it, and how a key is tried.
///
/// ``ModelProvider/all`` is the one list: the settings page, what may be stored, what an agent gets, and what
/// validation asks all come from here.
package struct ModelProvider: Sendable {
    /// How a key travels.
    package enum Authorization: Hashable, Sendable {
        /// `Authorization: Bearer KEY`.
        case bearer
        /// A header of its own.
        case header(String)
    }

    /// The cheapest call that tells whether a key is good.
    package struct Check: Hashable, Sendable {
        /// The provider's address unless a variable names another, without a slash at its end.
        package let address: String
        /// What is asked for below it, with its query.
        package let path: String
        /// Headers that every call needs.
        package let headers: [String: String]
    }

    /// The name in addresses and in the database.
    package let name: String
    /// The name for people.
    package let title: String
    /// Where a person gets a key.
    package let keysPage: String
    /// The variables that hold a key, with how it travels.
    package let keys: [(name: String, authorization: Authorization)]
    /// The variable that holds another address, which only admins set; nil when there is none.
    package let addressVariable: String?
    /// The variable that holds further headers, `Name: value` on lines of their own, which only admins set.
    package let headersVariable: String?
    /// Other variables of the provider, which only admins set.
    package let otherVariables: [String]
    /// Nil when the provider has no call that only tries a key.
    package let check: Check?

    /// Whether a variable is for admins alone: it decides where keys are sent.
    package func isForAdmins(_ variable: String) -> Bool {
        variable == addressVariable || variable == headersVariable || otherVariables.contains(variable)
    }

    /// Every variable of the provider.
    package var variables: [String] {
        keys.map(\.name) + [addressVariable, headersVariable].compactMap { $0 } + otherVariables
    }

    /// All of them, by name.
    package static let all: [ModelProvider] = [
        ModelProvider(
            name: "anthropic", title: "Anthropic", keysPage: "https://console.anthropic.com/settings/keys",
            keys: [("ANTHROPIC_API_KEY", .header("x-api-key")), ("ANTHROPIC_AUTH_TOKEN", .bearer)],
            addressVariable: "ANTHROPIC_BASE_URL", headersVariable: "ANTHROPIC_CUSTOM_HEADERS",
            otherVariables: [],
            // https://docs.claude.com/en/api/models-list
            check: Check(
                address: "https://api.anthropic.com", path: "/v1/models?limit=1",
                headers: ["anthropic-version": "2023-06-01"])),
        ModelProvider(
            name: "openai", title: "OpenAI", keysPage: "https://platform.openai.com/api-keys",
            keys: [("OPENAI_API_KEY", .bearer), ("CODEX_API_KEY", .bearer)],
            addressVariable: "OPENAI_BASE_URL", headersVariable: "OPENAI_CUSTOM_HEADERS", otherVariables: [],
            // https://platform.openai.com/docs/api-reference/models/list
            check: Check(address: "https://api.openai.com/v1", path: "/models", headers: [:])),
        ModelProvider(
            name: "openrouter", title: "OpenRouter", keysPage: "https://openrouter.ai/settings/keys",
            keys: [("OPENROUTER_API_KEY", .bearer)], addressVariable: nil, headersVariable: nil,
            otherVariables: [],
            // Its list of models is open to everybody. https://openrouter.ai/docs/api-reference/limits
            check: Check(address: "https://openrouter.ai/api/v1", path: "/key", headers: [:])),
        ModelProvider(
            name: "gemini", title: "Google Gemini", keysPage: "https://aistudio.google.com/apikey",
            keys: [("GEMINI_API_KEY", .header("x-goog-api-key"))],
            addressVariable: "GOOGLE_GEMINI_BASE_URL", headersVariable: nil, otherVariables: [],
            // https://ai.google.dev/api/models#method:-models.list
            check: Check(
                address: "https://generativelanguage.googleapis.com", path: "/v1beta/models?pageSize=1",
                headers: [:])),
        ModelProvider(
            name: "amp", title: "Amp", keysPage: "https://ampcode.com/settings",
            keys: [("AMP_API_KEY", .bearer)],
            addressVariable: nil, headersVariable: nil, otherVariables: [], check: nil),
        ModelProvider(
            name: "opencode", title: "opencode's own configuration",
            keysPage: "https://opencode.ai/docs/config/",
            keys: [], addressVariable: nil, headersVariable: nil,
            otherVariables: ["OPENCODE_CONFIG_CONTENT"], check: nil),
    ]

    /// The provider of that name.
    package static func find(_ name: String) -> ModelProvider? {
        all.first { $0.name == name }
    }

    /// The provider that a variable belongs to.
    package static func owning(_ variable: String) -> ModelProvider? {
        all.first { $0.variables.contains(variable) }
    }

    /// Headers that belong to the connection or the body, which no setting may change.
    private static let reservedHeaders: Set<String> = [
        "host", "content-length", "content-type", "transfer-encoding", "connection", "keep-alive", "te",
        "trailer",
        "upgrade", "expect", "proxy-authorization", "proxy-connection",
    ]

    /// The first header of the lines that is reserved, for whoever sets them.
    package static func reservedHeader(in text: String) -> String? {
        text.split(whereSeparator: \.isNewline).map { $0.prefix { $0 != ":" }.filter { $0 != " " } }
            .first { reservedHeaders.contains($0.lowercased()) }
    }

    /// Reads further headers, `Name: value` on lines of their own; nil when a line is none.
    ///
    /// Reserved ones are left out.
    package static func headers(_ text: String) -> [(name: String, value: String)]? {
        var found: [(name: String, value: String)] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts[0].filter { $0 != " " }
            let isToken =
                !name.isEmpty
                && name.utf8.allSatisfy { byte in
                    switch byte {
                    case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                    default: false
                    }
                }
            guard parts.count == 2, isToken else { return nil }
            let value = String(parts[1].drop { $0 == " " })
            guard value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else { return nil }
            if !reservedHeaders.contains(name.lowercased()) { found.append((name, value)) }
        }
        return found
    }
}
