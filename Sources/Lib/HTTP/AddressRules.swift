/// Which addresses an outgoing call may reach.
enum AddressRules {
    /// What a URL names, as far as the rules look at it.
    struct Target: Equatable {
        let isTLS: Bool
        /// Lower case, without brackets.
        let host: String
        var isLoopback: Bool { AddressRules.isLoopback(host) }
    }

    /// Reads `http(s)://host[:port]/…`; nil for anything else, user names in it included.
    static func target(_ url: String) -> Target? {
        guard url.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        let isTLS = url.hasPrefix("https://")
        guard isTLS || url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst(isTLS ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        var host = authority
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
        }
        return host.isEmpty ? nil : Target(isTLS: isTLS, host: host.lowercased())
    }

    /// 127.0.0.0/8, ::1, `localhost`.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Whether an IPv4 address lies in a private, link-local, shared or reserved block.
    ///
    /// - SeeAlso: <https://www.iana.org/assignments/iana-ipv4-special-registry/>
    static func isPrivate(ipv4 bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1]) {
        case (0, _), (10, _), (127, _), (169, 254), (192, 168), (224..., _): true
        case (100, 64...127), (172, 16...31), (198, 18...19): true
        case (192, 0): bytes[2] == 0
        default: false
        }
    }

    /// The same for IPv6, addresses that hold an IPv4 one included.
    ///
    /// - SeeAlso: <https://www.iana.org/assignments/iana-ipv6-special-registry/>
    static func isPrivate(ipv6 bytes: [UInt8]) -> Bool {
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        if isMapped { return isPrivate(ipv4: Array(bytes[12...])) }
        if bytes[..<15].allSatisfy({ $0 == 0 }) { return true }
        // NAT64 carries an IPv4 address at its end.
        if Array(bytes[..<12]) == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] {
            return isPrivate(ipv4: Array(bytes[12...]))
        }
        return bytes[0] & 0xFE == 0xFC || (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80) || bytes[0] == 0xFF
    }
}
