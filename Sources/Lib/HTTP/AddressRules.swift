/// Which addresses an outgoing call may reach.
package enum AddressRules {
    /// The host that an `http` or `https` URL names, lower case; nil for anything else.
    package static func host(of url: String) -> String? { target(url)?.host }

    /// Whether an outgoing call may go there: https, or http for loopback.
    ///
    /// Where its name leads is looked at when it is called.
    package static func mayBeCalled(_ url: String) -> Bool {
        target(url).map { $0.isTLS || $0.isLoopback } ?? false
    }

    /// What a URL names, as far as the rules look at it.
    struct Target: Equatable {
        let isTLS: Bool
        /// Lower case, without brackets.
        let host: String
        var isLoopback: Bool { AddressRules.isLoopback(host) }
    }

    /// Reads `http(s)://host[:port]/…`; nil for anything else, user names in it included.
    static func target(_ url: String) -> Target? {
        guard url.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }) else { return nil }
        let isTLS = url.hasPrefix("https://")
        guard isTLS || url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst(isTLS ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@"), !authority.contains("%") else { return nil }
        var host = authority.prefix { $0 != ":" }
        var port = authority[host.endIndex...]
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[..<end].dropFirst()
            port = authority[authority.index(after: end)...]
        }
        let isPort = port.isEmpty || (port.hasPrefix(":") && UInt16(port.dropFirst()) != nil)
        return host.isEmpty || !isPort ? nil : Target(isTLS: isTLS, host: host.lowercased())
    }

    /// 127.0.0.0/8, ::1, `localhost`.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        let areNumbers = host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || ($0 >= 48 && $0 <= 57) }
        return areNumbers && parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Whether an IPv4 address lies in a private, link-local, shared or reserved block.
    ///
    /// - SeeAlso: <https://www.iana.org/assignments/iana-ipv4-special-registry/>
    static func isPrivate(ipv4 bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1]) {
        case (0, _), (10, _), (127, _), (169, 254), (192, 168), (224..., _): true
        case (100, 64...127), (172, 16...31), (198, 18...19): true
        case (192, 0): bytes[2] == 0 || bytes[2] == 2
        case (198, 51): bytes[2] == 100
        case (203, 0): bytes[2] == 113
        default: false
        }
    }

    /// The same for IPv6, addresses that hold an IPv4 one included.
    ///
    /// - SeeAlso: <https://www.iana.org/assignments/iana-ipv6-special-registry/>
    static func isPrivate(ipv6 bytes: [UInt8]) -> Bool {
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        if isMapped { return isPrivate(ipv4: Array(bytes[12...])) }
        // NAT64 carries an IPv4 address at its end, 6to4 one near its start.
        if Array(bytes[..<12]) == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] {
            return isPrivate(ipv4: Array(bytes[12...]))
        }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return isPrivate(ipv4: Array(bytes[2..<6])) }
        // All that is no global unicast, and in it the blocks for protocols and documentation.
        guard bytes[0] & 0xE0 == 0x20 else { return true }
        let isProtocol = bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 2
        return isProtocol || Array(bytes[..<4]) == [0x20, 0x01, 0x0D, 0xB8]
    }
}
