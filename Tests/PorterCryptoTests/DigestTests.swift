import Dispatch
import Foundation
import PorterCrypto
import PorterTestSupport
import Synchronization
import Testing

@Suite struct DigestTests {
    // The first is GitHub's: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>;
    // the others are of RFC 4231 and of the empty key.
    @Test(arguments: [
        (
            "It's a Secret to Everybody", Data("Hello, World!".utf8),
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        ),
        (
            String(repeating: "\u{0B}", count: 20), Data("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "Jefe", Data("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        ("", Data(), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ])
    func `HMAC-SHA256 gives the published codes`(key: String, message: Data, code: String) {
        #expect(HMACSHA256.code(for: message, key: key).hexadecimalDigits == code)
    }

    @Test func `threads that come and go compute the same codes at once`() {
        let right = HMACSHA256.code(for: Data("abc".utf8), key: "k")
        let wrong = Mutex(0)
        for _ in 0..<400 {
            let threads = DispatchGroup()
            for _ in 0..<16 {
                threads.enter()
                Foundation.Thread.detachNewThread {
                    for _ in 0..<20 where HMACSHA256.code(for: Data("abc".utf8), key: "k") != right {
                        wrong.withLock { $0 += 1 }
                    }
                    threads.leave()
                }
            }
            threads.wait()
        }
        #expect(wrong.withLock { $0 } == 0)
    }

    @Test func `threads with keys of their own compute their own codes`() {
        let keys = (0..<24).map { "key \($0)" }
        let right = keys.map { HMACSHA256.code(for: Data("abc".utf8), key: $0) }
        #expect(Set(right).count == keys.count)
        let wrong = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: keys.count) { index in
            for _ in 0..<500 {
                let other = (index + 1) % keys.count
                for used in [index, other]
                where HMACSHA256.code(for: Data("abc".utf8), key: keys[used]) != right[used] {
                    wrong.withLock { $0 += 1 }
                }
            }
        }
        #expect(wrong.withLock { $0 } == 0)
    }

    @Test func `an empty key is not the one before it`() {
        _ = HMACSHA256.code(for: Data("abc".utf8), key: "k")
        #expect(
            HMACSHA256.code(for: Data(), key: "").hexadecimalDigits
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test(arguments: [
        (Data(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Data("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
    func `SHA-256 gives the published digests`(message: Data, digest: String) {
        #expect(SHA256.digest(message).hexadecimalDigits == digest)
    }

    @Test func `a slice is hashed from its own start`() {
        let whole = Data("xxabcxx".utf8)
        #expect(SHA256.digest(whole[2..<5]) == SHA256.digest(Data("abc".utf8)))
        #expect(
            HMACSHA256.code(for: whole[2..<5], key: "k") == HMACSHA256.code(for: Data("abc".utf8), key: "k"))
    }

    @Test(
        arguments: [
            ([], [], true), ([1], [1], true), ([1], [2], false), ([1, 2], [1], false), ([], [0], false),
            ([1, 2, 3], [1, 2, 4], false), ([0, 2, 3], [1, 2, 3], false),
        ] as [([UInt8], [UInt8], Bool)])
    func `two are the same when all their bytes are`(left: [UInt8], right: [UInt8], areSame: Bool) {
        #expect(constantTimeEquals(left, right) == areSame)
    }

    @Test func `random bytes have the asked length and do not repeat`() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(SecureRandom.bytes(33).count == 33)
        #expect(Set((0..<100).map { _ in SecureRandom.bytes(16) }).count == 100)
    }

    @Test(
        arguments: [
            ([], ""), ([0xFB, 0xFF], "-_8"), ([0xFF, 0xFF, 0xFE], "___-"), ([0x66], "Zg"),
            ([0x66, 0x6F], "Zm8"),
            ([0x66, 0x6F, 0x6F], "Zm9v"),
        ] as [([UInt8], String)])
    func `base 64 for addresses has no padding`(bytes: [UInt8], text: String) {
        #expect(Base64URL.encode(bytes) == text)
    }
}

extension [UInt8] {
    fileprivate var hexadecimalDigits: String {
        map { String(format: "%02x", $0) }.joined()
    }
}
