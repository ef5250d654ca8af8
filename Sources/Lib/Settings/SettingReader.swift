import Porter

/// Reads variables by the rules of their kind and collects what is wrong.
struct SettingReader {
    let environment: [String: String]
    let readFile: (String) -> String?
    private(set) var problems: [String] = []

    init(environment: [String: String], readFile: @escaping (String) -> String?) {
        self.environment = environment
        self.readFile = readFile
    }

    mutating func complain(_ name: String, _ what: String) {
        problems.append("\(name) \(what).")
    }

    /// A value as it stands; empty counts as absent.
    func text(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// From the variable, its `_FILE` twin, or the systemd credential of the same name: from one of them.
    ///
    /// - SeeAlso: <https://systemd.io/CREDENTIALS/>
    mutating func secret(_ name: String, isNeeded: Bool = false) -> Secret? {
        var found: [(source: String, value: String?)] = []
        if let value = text(name) { found.append((name, value)) }
        if let file = text(name + "_FILE") { found.append((name + "_FILE (\(file))", readFile(file))) }
        if let folder = text("CREDENTIALS_DIRECTORY"), let value = readFile(folder + "/" + name) {
            found.append(("the systemd credential \(name)", value))
        }
        guard found.count <= 1 else {
            complain(
                name, "comes from two sources: \(found.map(\.source).joined(separator: " and ")). Keep one")
            return nil
        }
        guard let (source, value) = found.first else {
            if isNeeded {
                complain(name, "is needed: set it, \(name)_FILE, or a systemd credential of that name")
            }
            return nil
        }
        guard let value else {
            complain(source, "cannot be read: name a file that this user may read")
            return nil
        }
        let trimmed = value.trimmedLineEnds
        if trimmed.isEmpty, isNeeded { complain(name, "is empty") }
        return trimmed.isEmpty ? nil : Secret(trimmed)
    }

    mutating func number(_ name: String) -> Int? {
        guard let value = text(name), case .number(let range) = kind(name) else { return nil }
        guard let number = Int(value), range.contains(number) else {
            complain(
                name, "is \"\(value)\": write a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func choice(_ name: String) -> String? {
        guard let value = text(name), case .choice(let choices) = kind(name) else { return nil }
        guard choices.contains(value) else {
            complain(name, "is \"\(value)\": write \(choices.joined(separator: " or "))")
            return nil
        }
        return value
    }

    mutating func size(_ name: String) -> Int? {
        guard let value = text(name) else { return nil }
        let digits = value.prefix { $0.isASCII && $0.isNumber }
        let unit = value.dropFirst(digits.count).filter { $0 != " " }.lowercased()
        let factors = ["": 1, "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824]
        guard digits.count <= 12, let number = Int(digits), number > 0, let factor = factors[unit] else {
            complain(name, "is \"\(value)\": write bytes, or a number with KiB, MiB or GiB")
            return nil
        }
        return number * factor
    }

    func list(_ name: String) -> [String]? {
        let entries = text(name)?.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
            .filter { !$0.isEmpty }
        return entries?.isEmpty == true ? nil : entries
    }

    mutating func path(_ name: String) -> String? {
        guard let value = text(name) else { return nil }
        guard value.hasPrefix("/") else {
            complain(name, "is \"\(value)\": write an absolute path")
            return nil
        }
        return value
    }

    /// An address without a slash at its end; https, or http for loopback.
    ///
    /// - Parameter isOrigin: whether a path is refused too.
    mutating func url(_ name: String, isOrigin: Bool = false, isNeeded: Bool = false) -> String? {
        guard var value = text(name) else {
            if isNeeded { complain(name, "is needed: the address at which people reach Porter") }
            return nil
        }
        while value.hasSuffix("/") { value.removeLast() }
        let parts = value.split(separator: ":", maxSplits: 1)
        let isTLS = parts.first == "https"
        let rest = value.dropFirst(isTLS ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let isPlain = value.utf8.allSatisfy { $0 > 32 && $0 < 127 }
        guard isPlain, value.hasPrefix("https://") || value.hasPrefix("http://"), !authority.isEmpty,
            !authority.contains("@"), !rest.contains("?"), !rest.contains("#"),
            !isOrigin || authority.count == rest.count
        else {
            complain(name, "is \"\(value)\": write an address such as https://porter.example.org")
            return nil
        }
        guard isTLS || Self.isLoopback(String(authority)) else {
            complain(name, "is \"\(value)\": http is for loopback only, write https")
            return nil
        }
        return value
    }

    /// The name in commands: letters, digits and dashes.
    mutating func mention() -> String {
        let value = text("PORTER_MENTION") ?? "porter"
        let isName = value.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        if !isName || value.utf8.count > 39 {
            complain("PORTER_MENTION", "is \"\(value)\": write letters, digits and dashes, at most 39")
        }
        return value
    }

    /// The App's five values: all or none.
    mutating func app() -> Configuration.App? {
        let id = text("PORTER_GITHUB_APP_ID")
        let key = secret("PORTER_GITHUB_APP_PRIVATE_KEY")
        let client = text("PORTER_GITHUB_CLIENT_ID")
        let clientSecret = secret("PORTER_GITHUB_CLIENT_SECRET")
        let webhook = secret("PORTER_GITHUB_WEBHOOK_SECRET")
        let present = [id != nil, key != nil, client != nil, clientSecret != nil, webhook != nil]
        guard present.contains(true) else { return nil }
        let names = ["APP_ID", "APP_PRIVATE_KEY", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET"]
        for (name, isThere) in zip(names, present) where !isThere {
            complain("PORTER_GITHUB_\(name)", "is missing: set all five values of the App, or none")
        }
        if let id, Int64(id) == nil {
            complain("PORTER_GITHUB_APP_ID", "is \"\(id)\": write the App's number")
        }
        guard let id, let key, let client, let clientSecret, let webhook else { return nil }
        return Configuration.App(
            id: id, privateKey: key.reveal { Secret($0.replacing("\\n", with: "\n")) }, clientID: client,
            clientSecret: clientSecret, webhookSecret: webhook)
    }

    /// The team's keys, each as a secret of its own.
    mutating func teamKeys(_ listFolder: (String) -> [String]) -> [String: Secret] {
        var names = Set(
            environment.keys.filter { $0.hasPrefix(Setting.keyPrefix) }
                .map { $0.hasSuffix("_FILE") ? String($0.dropLast(5)) : $0 })
        if let folder = text("CREDENTIALS_DIRECTORY") {
            names.formUnion(listFolder(folder).filter { $0.hasPrefix(Setting.keyPrefix) })
        }
        var keys: [String: Secret] = [:]
        for name in names.sorted() {
            let variable = String(name.dropFirst(Setting.keyPrefix.count))
            guard !variable.isEmpty else {
                complain(name, "lacks the name of a variable: PORTER_KEY_ANTHROPIC_API_KEY")
                continue
            }
            keys[variable] = secret(name)
        }
        return keys
    }

    private func kind(_ name: String) -> Setting.Kind? {
        Setting.all.first { $0.name == name }?.kind
    }

    private static func isLoopback(_ authority: String) -> Bool {
        let host =
            authority.hasPrefix("[")
            ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        let isFour = parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
        return host == "localhost" || host == "::1" || isFour
    }
}

extension String {
    /// Without the line breaks and spaces that editors leave at a file's end.
    fileprivate var trimmedLineEnds: String {
        var text = Substring(self)
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text.drop { $0.isWhitespace })
    }
}
