import Foundation
import PorterTestSupport
import Testing

@testable import PorterCrypto

@Suite struct EnvelopeTests {
    private static func key(_ byte: UInt8) -> String {
        Data(repeating: byte, count: 32).base64EncodedString()
    }

    private static func envelope(_ keys: String) throws -> Envelope {
        Envelope(try KeyRing(parsing: keys))
    }

    private static let place = ["secrets", "value", "17", "user:583231"]

    private func sealed(_ text: String = "sk-canary-0001") throws -> [UInt8] {
        try Self.envelope("k1:" + Self.key(1)).seal(Array(text.utf8), context: Self.place)
    }

    private func code(_ keys: String, _ sealed: [UInt8], _ place: [String] = EnvelopeTests.place)
        -> CryptoError.Code?
    {
        do throws(CryptoError) {
            _ = try Envelope(KeyRing(parsing: keys)).open(sealed, context: place)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(arguments: ["", "x", "sk-canary-0001", String(repeating: "é", count: 100_000)])
    func `what was sealed opens again`(text: String) throws {
        let envelope = try Self.envelope("k1:" + Self.key(1))
        let opened = try envelope.open(sealed(text), context: Self.place)
        #expect(String(decoding: opened, as: UTF8.self) == text)
    }

    // NIST's GCM test case 16 (256-bit key, with additional data).
    @Test func `the cipher is AES-256-GCM as it is published`() throws {
        func bytes(_ hex: String) -> [UInt8] {
            stride(from: 0, to: hex.count, by: 2).compactMap { start in
                UInt8(hex.dropFirst(start).prefix(2), radix: 16)
            }
        }
        let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
        let nonce = bytes("cafebabefacedbaddecaf888")
        let bound = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        let value = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        )
        let sealed = bytes(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
        )
        #expect(try Envelope.encrypt(value, key: key, nonce: nonce, bound: bound) == sealed)
        #expect(try Envelope.decrypt(sealed, key: key, nonce: nonce, bound: bound) == value)
    }

    @Test func `another key does not open it`() throws {
        #expect(code("k1:" + Self.key(2), try sealed()) == .notAuthentic)
        #expect(code("k2:" + Self.key(1), try sealed()) == .unknownKey)
    }

    @Test(arguments: [
        ["tokens", "value", "17", "user:583231"], ["secrets", "name", "17", "user:583231"],
        ["secrets", "value", "18", "user:583231"], ["secrets", "value", "17", "user:583232"],
        ["secrets", "value", "17", "instance"], ["secretsv", "alue", "17", "user:583231"],
        ["secrets", "value", "17user:583231"], ["secrets", "value", "17", "user:583231", ""],
        ["value", "secrets", "17", "user:583231"], ["secrets", "value", "17"], [],
    ])
    func `moved to another place it does not open`(place: [String]) throws {
        #expect(code("k1:" + Self.key(1), try sealed(), place) == .notAuthentic)
    }

    @Test func `a byte changed anywhere, or cut anywhere, it does not open`() throws {
        let whole = try sealed()
        #expect(code("k1:" + Self.key(1), whole) == nil)
        for index in whole.indices {
            for flip: UInt8 in [0x01, 0x80] {
                var changed = whole
                changed[index] ^= flip
                #expect(code("k1:" + Self.key(1), changed) != nil)
            }
        }
        for length in 0..<whole.count {
            #expect(code("k1:" + Self.key(1), Array(whole[..<length])) != nil)
        }
        #expect(code("k1:" + Self.key(1), whole + [0]) == .notAuthentic)
        #expect(code("k1:" + Self.key(1), [1, 255]) == .notAuthentic)
    }

    @Test func `the first key seals, every key opens, and by its id`() throws {
        let old = try sealed()
        let rotated = "k2:\(Self.key(2)), k1:\(Self.key(1))"
        #expect(code(rotated, old) == nil)
        let new = try Self.envelope(rotated).seal([1, 2, 3], context: Self.place)
        #expect(code("k2:" + Self.key(2), new) == nil)
        #expect(code("k1:" + Self.key(1), new) == .unknownKey)
        #expect(code("k2:\(Self.key(1)),k1:\(Self.key(2))", old) == .notAuthentic)
    }

    @Test func `nothing of value or key is in the sealed bytes, and no two are alike`() throws {
        let many = try (0..<100).map { _ in try sealed() }
        #expect(Set(many).count == 100)
        // version, length of id, id, then the nonce.
        #expect(Set(many.map { Array($0[4..<16]) }).count == 100)
        for sealed in many {
            #expect(sealed.count == 4 + 12 + 14 + 16)
            let data = Data(sealed)
            #expect(data.firstRange(of: Data("canary".utf8)) == nil)
            #expect(data.firstRange(of: Data(repeating: 1, count: 4)) == nil)
        }
    }

    @Test(arguments: [
        ("", "there is no key"), (",", "there is no key"), ("k1", "entry 1"), ("AAAA", "entry 1"),
        (":AAAA", "entry 1"), ("k 1\u{E9}:AAAA", "entry 1"), ("k1:", "k1"), ("k1:AAAA", "k1"),
        ("k1:not base64!", "k1"), ("k1:" + String(repeating: "A", count: 43), "k1"),
        (String(repeating: "k", count: 33) + ":AAAA", "entry 1"),
        ("k1:" + Data(repeating: 7, count: 31).base64EncodedString(), "k1 is not 32 bytes"),
        ("k1:" + Data(repeating: 7, count: 33).base64EncodedString(), "k1 is not 32 bytes"),
        (
            "k1:\(Data(repeating: 7, count: 32).base64EncodedString()),k1:\(Data(repeating: 8, count: 32).base64EncodedString())",
            "k1 is there twice"
        ),
        ("k1:\(Data(repeating: 7, count: 32).base64EncodedString()), ,x", "entry 2"),
    ])
    func `a bad list of keys says which entry, and shows no key`(text: String, words: String) {
        let error = #expect(throws: CryptoError.self) { try KeyRing(parsing: text) }
        #expect(error?.code == .badKey)
        #expect(error?.description.contains(words) == true)
        #expect(error?.description.contains("BwcH") == false)
    }

    @Test func `spaces and line breaks between keys do not matter`() throws {
        let ring = try KeyRing(parsing: " k1 : \(Self.key(1)) ,\n k_2-B:\(Self.key(2))\n")
        #expect(ring.keys.map(\.id) == ["k1", "k_2-B"])
    }
}
