import Porter

/// Reads variables by the rules of their kind and collects what is wrong.
struct SettingReader {
    let environment: [String: String]
    let readFile: (String) -> String?
    let listFolder: (String) -> [String]
    private(set) var problems: [String] = []

    init(
        environment: [String: String], readFile: @escaping (String) -> String?,
        listFolder: @escaping (String) -> [String]
    ) {
        self.environment = environment
        self.readFile = readFile
        self.listFolder = listFolder
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
        guard value.isDigits || value.hasPrefix("-"), let number = Int(value), range.contains(number) else {
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

    /// Bytes that a size may be at most: 1 TiB.
    private static let maximumSize = 1_099_511_627_776

    mutating func size(_ name: String) -> Int? {
        guard let value = text(name) else { return nil }
        let digits = value.prefix { $0.isASCII && $0.isNumber }
        let unit = value.dropFirst(digits.count).filter { $0 != " " }.lowercased()
        let factors = ["": 1, "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824]
        guard let number = Int(digits), let factor = factors[unit], number > 0,
            number <= Self.maximumSize / factor
        else {
            complain(
                name, "is \"\(value)\": write bytes, or a number with KiB, MiB or GiB, at most 1024 GiB")
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

    /// Bytes of a unix socket's path at most.
    ///
    /// - SeeAlso: <https://man7.org/linux/man-pages/man7/unix.7.html>
    private static let maximumSocketPath = 107

    /// Where to listen: an absolute path, or `host:port` with an IPv4 address or `localhost` as the host.
    mutating func socket(_ name: String) -> String? {
        guard let value = text(name) else { return nil }
        if value.hasPrefix("/") {
            guard value.utf8.count <= Self.maximumSocketPath else {
                complain(name, "is longer than the \(Self.maximumSocketPath) bytes of a socket's path")
                return nil
            }
            return value
        }
        let colon = value.lastIndex(of: ":") ?? value.startIndex
        let host = value[..<colon]
        guard host == "localhost" || Self.isIPv4(host), Self.isPort(value[colon...].dropFirst()) else {
            complain(
                name,
                "is \"\(value)\": write an absolute path, or an IPv4 address (or localhost) and a port, "
                    + "such as 127.0.0.1:9000")
            return nil
        }
        return value
    }

    /// A proxy: `http(s)://host[:port]` or `host:port`.
    mutating func proxy(_ name: String) -> String? {
        guard let value = text(name) else { return nil }
        let schemes = ["http://", "https://"]
        let rest = schemes.first { value.hasPrefix($0) }.map { value.dropFirst($0.count) } ?? value[...]
        let authority = rest.split(separator: "@", omittingEmptySubsequences: false).last ?? rest
        guard Self.host(authority) != nil, rest.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            complain(name, "is not an address such as http://proxy.example.org:3128")
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
        guard value.hasPrefix("https://") || value.hasPrefix("http://"), let host = Self.host(authority),
            rest.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !"?#\\".utf8.contains($0) }),
            !isOrigin || authority.count == rest.count
        else {
            complain(name, "is \"\(value)\": write an address such as https://porter.example.org")
            return nil
        }
        guard isTLS || Self.isLoopback(host) else {
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
    mutating func teamKeys() -> [String: Secret] {
        var names = Set(text("CREDENTIALS_DIRECTORY").map(listFolder) ?? [])
        for name in environment.keys {
            names.insert(name.hasSuffix("_FILE") ? String(name.dropLast(5)) : name)
        }
        var keys: [String: Secret] = [:]
        for name in names.sorted() where name.hasPrefix(Setting.keyPrefix) {
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

    /// The host of `host[:port]`, without brackets; nil when that is none.
    private static func host(_ authority: some StringProtocol) -> String? {
        let host: String
        let port: String
        if authority.hasPrefix("[") {
            let parts = authority.dropFirst().split(separator: "]", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].utf8.allSatisfy({ ":.".utf8.contains($0) || $0.isHexDigit })
            else { return nil }
            (host, port) = (String(parts[0]), String(parts[1]))
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            (host, port) = (String(authority[..<colon]), String(authority[colon...]))
            guard host.utf8.allSatisfy({ $0.isHostByte }) else { return nil }
        }
        let isPort = port.isEmpty || (port.hasPrefix(":") && Self.isPort(port.dropFirst()))
        return !host.isEmpty && isPort ? host : nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isDigits && (UInt16(text) ?? 0) > 0
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && isIPv4(host[...]))
    }

    /// Four numbers up to 255, in the one way of writing them that every reader takes.
    private static func isIPv4(_ host: Substring) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { part in UInt8(part).map(String.init) == String(part) }
    }
}

extension StringProtocol {
    /// Whether it is one ASCII digit or more.
    fileprivate var isDigits: Bool {
        !isEmpty && utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (48...57).contains(self) || (97...102).contains(self | 32)
    }

    /// A letter, a digit, `.`, `-` or `_`.
    fileprivate var isHostByte: Bool {
        (48...57).contains(self) || (97...122).contains(self | 32) || self == 45 || self == 46 || self == 95
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
