import COpenSSL
import FoundationEssentials

/// The keys of `PORTER_SECRET_KEYS`: the first encrypts, all decrypt.
package struct KeyRing: Sendable {
    struct Key: Sendable {
        let id: String
        let bytes: [UInt8]
    }

    let keys: [Key]

    /// Reads `id:base64,…`: ids of 1 to 32 letters, digits, `_` and `-`, each once; 32 bytes a key.
    ///
    /// - Throws: ``CryptoError`` with `.badKey` that names the id or the place, never a key.
    package init(parsing text: String) throws(CryptoError) {
        var keys: [Key] = []
        for (index, entry) in text.split(separator: ",").enumerated() {
            let parts = entry.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let id = parts[0].filter { !$0.isWhitespace }
            guard parts.count == 2, Self.isID(id) else {
                throw CryptoError(.badKey, "entry \(index + 1) is not `id:base64`")
            }
            let encoded = parts[1].filter { !$0.isWhitespace }
            guard let data = Data(base64Encoded: String(encoded)), data.count == Envelope.keyBytes else {
                throw CryptoError(.badKey, "key \(id) is not \(Envelope.keyBytes) bytes in base64")
            }
            guard !keys.contains(where: { $0.id == id }) else {
                throw CryptoError(.badKey, "key \(id) is there twice")
            }
            keys.append(Key(id: id, bytes: [UInt8](data)))
        }
        guard !keys.isEmpty else { throw CryptoError(.badKey, "there is no key") }
        self.keys = keys
    }

    private static func isID(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }
}

/// Seals values with AES-256-GCM, bound to where they belong.
///
/// Sealed form: version (1), length of the key's id, the id, a fresh nonce of 12 bytes, the ciphertext, a
/// tag of 16 bytes. Version, id and context are authenticated, each part with its length.
///
/// - SeeAlso: <https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf>
package struct Envelope: Sendable {
    /// Bytes of a key.
    package static let keyBytes = 32
    static let nonceBytes = 12
    static let tagBytes = 16
    static let version: UInt8 = 1

    private let ring: KeyRing

    /// An envelope under the ring.
    package init(_ ring: KeyRing) {
        self.ring = ring
    }

    /// The id of the key that seals.
    package var currentKey: String { ring.keys[0].id }

    /// The id of the key that a sealed value names; nil when it is no sealed value of this version.
    package static func keyID(of sealed: [UInt8]) -> String? {
        guard sealed.count >= 2, sealed[0] == version, sealed.count >= 2 + Int(sealed[1]) else { return nil }
        return String(validating: sealed[2..<(2 + Int(sealed[1]))], as: UTF8.self)
    }

    /// Seals the value for the context.
    package func seal(_ value: [UInt8], context: [String]) throws(CryptoError) -> [UInt8] {
        let key = ring.keys[0]
        let header = [Self.version, UInt8(key.id.utf8.count)] + Array(key.id.utf8)
        let nonce = SecureRandom.bytes(Self.nonceBytes)
        let sealed = try Self.encrypt(
            value, key: key.bytes, nonce: nonce, bound: Self.bound(header, context))
        return header + nonce + sealed
    }

    /// Opens what was sealed for the same context.
    ///
    /// - Throws: ``CryptoError`` with `.unknownKey` when its key is not in the ring, `.notAuthentic` when it
    ///   is not what was sealed there.
    package func open(_ sealed: [UInt8], context: [String]) throws(CryptoError) -> [UInt8] {
        guard sealed.count >= 2, sealed[0] == Self.version else {
            throw CryptoError(.notAuthentic, "it is no sealed value of this version")
        }
        let start = 2 + Int(sealed[1])
        guard sealed.count >= start + Self.nonceBytes + Self.tagBytes else {
            throw CryptoError(.notAuthentic, "it is too short for a sealed value")
        }
        let id = String(decoding: sealed[2..<start], as: UTF8.self)
        guard let key = ring.keys.first(where: { $0.id == id }) else {
            throw CryptoError(
                .unknownKey,
                "it was sealed with the key \"\(id)\", which PORTER_SECRET_KEYS does not hold: add that key")
        }
        return try Self.decrypt(
            Array(sealed[(start + Self.nonceBytes)...]), key: key.bytes,
            nonce: Array(sealed[start..<(start + Self.nonceBytes)]),
            bound: Self.bound(Array(sealed[..<start]), context))
    }

    /// Header and context, each part with its length, so that no two contexts read alike.
    private static func bound(_ header: [UInt8], _ context: [String]) -> [UInt8] {
        var bytes = header
        for part in context {
            let utf8 = Array(part.utf8)
            withUnsafeBytes(of: UInt32(utf8.count).bigEndian) { bytes += $0 }
            bytes += utf8
        }
        return bytes
    }

    /// Ciphertext and tag; the nonce is the caller's to keep fresh.
    static func encrypt(
        _ value: [UInt8], key: [UInt8], nonce: [UInt8], bound: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        guard let context = EVP_CIPHER_CTX_new() else {
            throw CryptoError(.failed, "there is no memory for a cipher")
        }
        defer { EVP_CIPHER_CTX_free(context) }
        var sealed = [UInt8](repeating: 0, count: value.count)
        var tag = [UInt8](repeating: 0, count: tagBytes)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, nil, nil) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_IVLEN, Int32(nonce.count), nil) == 1,
            EVP_EncryptInit_ex(context, nil, nil, key, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &length, bound, Int32(bound.count)) == 1,
            EVP_EncryptUpdate(context, &sealed, &length, value, Int32(value.count)) == 1,
            EVP_EncryptFinal_ex(context, nil, &length) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, Int32(tagBytes), &tag) == 1
        else { throw CryptoError(.failed, "AES-256-GCM cannot encrypt") }
        return sealed + tag
    }

    /// The value of a ciphertext with its tag.
    static func decrypt(
        _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], bound: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        guard let context = EVP_CIPHER_CTX_new() else {
            throw CryptoError(.failed, "there is no memory for a cipher")
        }
        defer { EVP_CIPHER_CTX_free(context) }
        let body = Array(sealed.dropLast(tagBytes))
        var tag = Array(sealed.suffix(tagBytes))
        var value = [UInt8](repeating: 0, count: body.count)
        var length: Int32 = 0
        var end = [UInt8](repeating: 0, count: tagBytes)
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, nil, nil) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_IVLEN, Int32(nonce.count), nil) == 1,
            EVP_DecryptInit_ex(context, nil, nil, key, nonce) == 1,
            EVP_DecryptUpdate(context, nil, &length, bound, Int32(bound.count)) == 1,
            EVP_DecryptUpdate(context, &value, &length, body, Int32(body.count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, Int32(tagBytes), &tag) == 1,
            EVP_DecryptFinal_ex(context, &end, &length) == 1
        else {
            throw CryptoError(
                .notAuthentic, "it was changed, belongs elsewhere, or its key has another value now")
        }
        return value
    }
}
