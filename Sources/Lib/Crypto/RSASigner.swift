import COpenSSL

// Safe because OpenSSL only reads the key after it was made, and counts its references atomically.
/// Signs with an RSA key: RSASSA-PKCS1-v1_5 with SHA-256, which JWT calls RS256.
package final class RSASigner: @unchecked Sendable {
    /// Bits that a key has at least.
    package static let minimumBits = 2048

    private let key: OpaquePointer

    /// Reads a private key in PEM, PKCS#1 or PKCS#8, unencrypted.
    ///
    /// - Throws: ``CryptoError`` with `.badKey` for anything else, and for keys that are too short.
    package init(pem: String) throws(CryptoError) {
        guard let key = Self.read(Array(pem.utf8)) else {
            throw CryptoError(.badKey, "it is no unencrypted private key in PEM")
        }
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else {
            EVP_PKEY_free(key)
            throw CryptoError(.badKey, "it is no RSA key")
        }
        guard EVP_PKEY_get_bits(key) >= Self.minimumBits else {
            EVP_PKEY_free(key)
            throw CryptoError(.badKey, "it is shorter than \(Self.minimumBits) bits")
        }
        self.key = key
    }

    /// The bytes stay where they are as long as OpenSSL reads them.
    private static func read(_ pem: [UInt8]) -> OpaquePointer? {
        // An encrypted key would ask for its passphrase on the terminal; this says there is none.
        let refuse:
            @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
                { _, _, _, _ in -1 }
        return pem.withUnsafeBytes { buffer in
            guard let source = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
            defer { BIO_free(source) }
            return PEM_read_bio_PrivateKey(source, nil, refuse, nil)
        }
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// The signature over the message.
    ///
    /// - SeeAlso: <https://docs.openssl.org/3.0/man3/EVP_DigestSignInit/>
    package func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else {
            throw CryptoError(.failed, "there is no memory for a signature")
        }
        defer { EVP_MD_CTX_free(context) }
        var length = 0
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
            EVP_DigestSign(context, nil, &length, message, message.count) == 1
        else { throw CryptoError(.failed, "the key cannot sign") }
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
            throw CryptoError(.failed, "the key cannot sign")
        }
        return Array(signature.prefix(length))
    }
}
