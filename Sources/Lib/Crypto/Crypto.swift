import COpenSSL
package import FoundationEssentials
import Synchronization

/// A failure of a cryptographic operation.
///
/// The module is Porter's cryptography over OpenSSL 3: ``HMACSHA256`` checks webhooks, ``RSASigner`` signs
/// the App's tokens (RS256), ``Envelope`` seals what rests in the database (AES-256-GCM), ``SecureRandom``
/// makes tokens. No C type leaves it, and OpenSSL's error queue is empty after each failure.
package struct CryptoError: Error, Equatable, CustomStringConvertible {
    /// What the caller can do about it.
    package enum Code: Sendable {
        /// The key is not of the form that is needed.
        case badKey
        /// No configured key opens this.
        case unknownKey
        /// The sealed value was changed, moved, or cut.
        case notAuthentic
        /// The library failed.
        case failed
    }

    /// What the caller can do about it.
    package let code: Code
    /// What is wrong; never a key or a value.
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
        ERR_clear_error()
    }
}

/// Bytes that nobody can foresee, from OpenSSL's generator.
package enum SecureRandom {
    /// So many random bytes; ends the program if there are none to be had.
    ///
    /// - SeeAlso: <https://docs.openssl.org/3.0/man3/RAND_bytes/>
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = RAND_bytes(&bytes, Int32(count))
        precondition(result == 1, "the system gives no random bytes")
        return bytes
    }
}

/// SHA-256.
package enum SHA256 {
    /// The 32 bytes of the digest.
    package static func digest(_ bytes: some ContiguousBytes) -> [UInt8] {
        bytes.withUnsafeBytes { buffer in
            var digest = [UInt8](repeating: 0, count: 32)
            let result = EVP_Digest(buffer.baseAddress, buffer.count, &digest, nil, EVP_sha256(), nil)
            precondition(result == 1, "SHA-256 cannot fail")
            return digest
        }
    }
}

/// HMAC with SHA-256.
package enum HMACSHA256 {
    /// The 32 bytes of the code, over the bytes as they lie in memory.
    ///
    /// - SeeAlso: <https://docs.openssl.org/3.0/man3/EVP_MAC/>
    package static func code(for bytes: some ContiguousBytes, key: String) -> [UInt8] {
        code(for: bytes, key: Array(key.utf8))
    }

    static func code(for bytes: some ContiguousBytes, key: [UInt8]) -> [UInt8] {
        let context = idle.withLock { $0.popLast() } ?? Context()
        defer { idle.withLock { $0.append(context) } }
        return bytes.withUnsafeBytes { context.code(for: $0, key: key) }
    }

    /// Contexts that nobody uses now: as many as threads ever computed a code at once.
    private static let idle = Mutex<[Context]>([])

    /// OpenSSL's state, keyed anew for each code: finding the algorithm by its name takes as long as 4 KB do.
    // Safe because whoever takes it out of the list is the only one to have it.
    private final class Context: @unchecked Sendable {
        private let pointer: OpaquePointer

        init() {
            let algorithm = EVP_MAC_fetch(nil, "HMAC", nil)
            defer { EVP_MAC_free(algorithm) }
            var digest = Array("SHA256".utf8CString)
            let made = digest.withUnsafeMutableBufferPointer { digest -> OpaquePointer? in
                let parameters = [
                    OSSL_PARAM_construct_utf8_string("digest", digest.baseAddress, 0),
                    OSSL_PARAM_construct_end(),
                ]
                guard let made = EVP_MAC_CTX_new(algorithm) else { return nil }
                return EVP_MAC_CTX_set_params(made, parameters) == 1 ? made : nil
            }
            guard let made else { preconditionFailure("OpenSSL has HMAC with SHA-256") }
            pointer = made
        }

        deinit {
            EVP_MAC_CTX_free(pointer)
        }

        func code(for bytes: UnsafeRawBufferPointer, key: [UInt8]) -> [UInt8] {
            var code = [UInt8](repeating: 0, count: 32)
            var length = 0
            let made =
                EVP_MAC_init(pointer, key, key.count, nil) == 1
                && EVP_MAC_update(pointer, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count) == 1
                && EVP_MAC_final(pointer, &code, &length, code.count) == 1
            precondition(made && length == code.count, "HMAC cannot fail")
            return code
        }
    }
}

/// Whether both are the same, in a time that does not tell where they differ.
package func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
