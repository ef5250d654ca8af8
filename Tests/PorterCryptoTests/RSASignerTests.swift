import Foundation
import PorterCrypto
import PorterTestSupport
import Testing

@Suite(.enabled(if: SampleKeys.canBeMade, "the openssl command is not installed"))
struct RSASignerTests {
    @Test(arguments: [false, true])
    func `the openssl command verifies a signature of a PKCS#1 and of a PKCS#8 key`(isPKCS1: Bool) throws {
        let pem = isPKCS1 ? SampleKeys.rsaTraditional : SampleKeys.rsa
        #expect(pem.contains("BEGIN RSA PRIVATE KEY") == isPKCS1)
        let signer = try RSASigner(pem: pem)
        for text in ["", "header.payload", String(repeating: "x", count: 100_000)] {
            let message = Array(text.utf8)
            let signature = try signer.sign(message)
            #expect(signature.count == 256)
            #expect(try SampleKeys.verify(signature, over: message) == 0)
            #expect(try SampleKeys.verify(signature, over: message + [0]) != 0)
        }
    }

    @Test func `signatures of many threads at once are all right`() throws {
        let signer = try RSASigner(pem: SampleKeys.rsa)
        let expected = try signer.sign([1, 2, 3])
        DispatchQueue.concurrentPerform(iterations: 32) { _ in
            #expect((try? signer.sign([1, 2, 3])) == expected)
        }
    }

    /// A key that must be refused.
    struct Bad: Sendable {
        let name: String
        let pem: @Sendable () -> String
        let words: String
    }

    @Test(arguments: [
        Bad(name: "nothing", pem: { "" }, words: "no unencrypted private key"),
        Bad(name: "garbage", pem: { "garbage" }, words: "no unencrypted private key"),
        Bad(
            name: "an empty frame", pem: { "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n" },
            words: "no unencrypted private key"),
        Bad(
            name: "a key that is cut", pem: { String(SampleKeys.rsa.dropLast(100)) },
            words: "no unencrypted private key"),
        Bad(
            name: "a key without its line breaks", pem: { SampleKeys.rsa.replacing("\n", with: "\\n") },
            words: "no unencrypted private key"),
        Bad(name: "a public key", pem: { SampleKeys.rsaPublic }, words: "no unencrypted private key"),
        Bad(name: "an elliptic key", pem: { SampleKeys.elliptic }, words: "no RSA key"),
        Bad(name: "a short key", pem: { SampleKeys.short }, words: "shorter than 2048 bits"),
    ])
    func `anything but an RSA key of 2048 bits is refused with its fault`(bad: Bad) {
        let error = #expect(throws: CryptoError.self) { try RSASigner(pem: bad.pem()) }
        #expect(error?.code == .badKey)
        #expect(error?.description.contains(bad.words) == true)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `an encrypted key is refused and asks nobody for its passphrase`(isPKCS1: Bool) {
        let pem = isPKCS1 ? SampleKeys.encryptedTraditional : SampleKeys.encrypted
        #expect(pem.contains("ENCRYPTED"))
        let error = #expect(throws: CryptoError.self) { try RSASigner(pem: pem) }
        #expect(error?.code == .badKey)
        #expect(error?.description.contains("unencrypted") == true)
    }

    @Test func `a failure leaves no trace for the next call`() throws {
        #expect(throws: CryptoError.self) { try RSASigner(pem: "garbage") }
        _ = try RSASigner(pem: SampleKeys.rsa).sign([1])
    }
}
