import Testing

@testable import PorterHTTP

@Suite struct AddressRulesTests {
    @Test(arguments: [
        ("https://example.org/a?b", true, "example.org"), ("http://localhost:80/", false, "localhost"),
        ("https://EXAMPLE.org", true, "example.org"), ("https://example.org:8443", true, "example.org"),
        ("https://[::1]:8443/x", true, "::1"), ("https://[FD00::1]", true, "fd00::1"),
        ("https://example.org?x@y", true, "example.org"), ("https://example.org#x@y", true, "example.org"),
        ("https://example.org/x@y", true, "example.org"), ("http://127.0.0.1", false, "127.0.0.1"),
    ])
    func `a plain address is taken apart`(url: String, isTLS: Bool, host: String) {
        #expect(AddressRules.target(url) == AddressRules.Target(isTLS: isTLS, host: host))
    }

    @Test(arguments: [
        "", "example.org", "//example.org", "ftp://example.org", "file:///etc/passwd", "HTTPS://example.org",
        "https:/example.org", "https://", "https:///x", "https://?x", "https://:443", "https://[]",
        "https://[::1", "https://user@example.org", "https://user:pass@example.org",
        "https://127.0.0.1\\@example.org", "https://exa mple.org", "https://example.org/a b",
        "https://example.org/\r\nX: y", "https://example.org/\u{0}", "https://exämple.org",
        "https://example.org/ä", "http://[::1]evil.org", "http://[::1].evil.org:80", "gopher://localhost",
        "https://example.org\\.evil.org", "https://example.org:80:90", "https://example.org:x",
        "https://%31%32%37.0.0.1",
    ])
    func `anything else is refused`(url: String) {
        #expect(AddressRules.target(url) == nil)
    }

    @Test(arguments: [
        ("localhost", true), ("127.0.0.1", true), ("127.255.255.254", true), ("::1", true),
        ("localhost.", false), ("localhost.evil.org", false), ("127.0.0.1.evil.org", false), ("127.1", false),
        ("127.0.0.256", false), ("127.+1.0.1", false), ("127.-1.0.1", false), ("127.0.0", false),
        ("127..0.1", false), ("0.0.0.0", false), ("::", false), ("::2", false), ("10.0.0.1", false),
        ("128.0.0.1", false), ("2130706433", false), ("0x7f.0.0.1", false), ("", false),
        ("evil-localhost", false),
        ("::ffff:127.0.0.1", false),
    ])
    func `loopback is 127.0.0.0/8, ::1 and localhost alone`(host: String, isLoopback: Bool) {
        #expect(AddressRules.isLoopback(host) == isLoopback)
    }

    // The edges of each block of the IANA's registry.
    @Test(
        arguments: [
            ([0, 0, 0, 0], true), ([0, 255, 255, 255], true), ([1, 0, 0, 0], false),
            ([9, 255, 255, 255], false),
            ([10, 0, 0, 0], true), ([10, 255, 255, 255], true), ([11, 0, 0, 0], false),
            ([100, 63, 255, 255], false), ([100, 64, 0, 0], true), ([100, 127, 255, 255], true),
            ([100, 128, 0, 0], false), ([126, 255, 255, 255], false), ([127, 0, 0, 0], true),
            ([127, 255, 255, 255], true), ([128, 0, 0, 0], false), ([169, 253, 255, 255], false),
            ([169, 254, 0, 0], true), ([169, 254, 169, 254], true), ([169, 255, 0, 0], false),
            ([172, 15, 255, 255], false), ([172, 16, 0, 0], true), ([172, 31, 255, 255], true),
            ([172, 32, 0, 0], false), ([192, 0, 0, 1], true), ([192, 0, 1, 0], false),
            ([192, 0, 2, 1], true),
            ([192, 167, 255, 255], false), ([192, 168, 0, 0], true), ([192, 168, 255, 255], true),
            ([192, 169, 0, 0], false), ([198, 17, 255, 255], false), ([198, 18, 0, 0], true),
            ([198, 19, 255, 255], true), ([198, 20, 0, 0], false), ([198, 51, 100, 1], true),
            ([198, 51, 101, 1], false), ([203, 0, 113, 1], true), ([203, 0, 114, 1], false),
            ([223, 255, 255, 255], false), ([224, 0, 0, 0], true), ([255, 255, 255, 255], true),
            ([140, 82, 112, 3], false), ([8, 8, 8, 8], false),
        ] as [([UInt8], Bool)])
    func `private and reserved blocks of IPv4`(bytes: [UInt8], isPrivate: Bool) {
        #expect(AddressRules.isPrivate(ipv4: bytes) == isPrivate)
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + bytes
        #expect(AddressRules.isPrivate(ipv6: mapped) == isPrivate)
        let translated: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] + bytes
        #expect(AddressRules.isPrivate(ipv6: translated) == isPrivate)
        let sixToFour: [UInt8] = [0x20, 0x02] + bytes + [UInt8](repeating: 1, count: 10)
        #expect(AddressRules.isPrivate(ipv6: sixToFour) == isPrivate)
    }

    @Test(arguments: [
        ("::", true), ("::1", true), ("::2", true), ("::7f00:1", true), ("fc00::", true), ("fdff::1", true),
        ("fbff::1", true), ("fe00::1", true), ("1fff::1", true), ("4000::1", true), ("fe80::1", true),
        ("febf::1", true), ("fec0::1", true),
        ("ff02::1", true), ("2001:db8::1", true), ("2606:50c0:8000::153", false), ("2a0a:a440::1", false),
        ("64:ff9b:1::1", true), ("100::1", true), ("2001::1", true),
    ])
    func `private and reserved blocks of IPv6`(text: String, isPrivate: Bool) throws {
        #expect(AddressRules.isPrivate(ipv6: try bytes(text)) == isPrivate)
    }

    private func bytes(_ text: String) throws -> [UInt8] {
        let sides = text.split(separator: ":", omittingEmptySubsequences: false)
        let gap = sides.firstIndex { $0.isEmpty } ?? sides.count
        let before = sides[..<gap].compactMap { UInt16($0, radix: 16) }
        let after = sides[gap...].compactMap { UInt16($0, radix: 16) }
        let middle = [UInt16](repeating: 0, count: 8 - before.count - after.count)
        return (before + middle + after).flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    }
}

@Suite struct FieldsTests {
    @Test func `names compare without regard to case, ASCII alone`() {
        let fields: Fields = ["Content-Type": "a", "X-K": "b", "X@": "c"]
        #expect(fields["content-type"] == "a")
        #expect(fields["CONTENT-TYPE"] == "a")
        #expect(fields["Content_Type"] == nil)
        #expect(fields["x-\u{212A}"] == nil)
        #expect(fields["X`"] == nil)
        #expect(fields[""] == nil)
    }

    @Test func `the first of a name is found, all are kept in order`() {
        var fields = Fields()
        fields.append("Set-Cookie", "a")
        fields.append("Other", "x")
        fields.append("set-cookie", "b")
        #expect(fields["Set-Cookie"] == "a")
        #expect(fields.pairs.map(\.value) == ["a", "x", "b"])
        fields["SET-COOKIE"] = "c"
        #expect(fields.pairs.map(\.value) == ["x", "c"])
        fields["other"] = nil
        #expect(fields.pairs.map(\.name) == ["SET-COOKIE"])
    }
}
