import COpenSSL
package import FoundationEssentials
import Glibc
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
    package static func code(for bytes: Data, key: String) -> [UInt8] {
        var key = key
        return key.withUTF8 { key in
            bytes.withUnsafeBytes { code(for: $0, key: UnsafeRawBufferPointer(key)) }
        }
    }

    static func code(for bytes: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> [UInt8] {
        let first = Slot.ofThisThread
        for offset in slots.indices {
            let slot = slots[(first + offset) % slots.count]
            if let code = slot.codeIfIdle(for: bytes, key: key) { return code }
        }
        return Context().code(for: bytes, key: key)
    }

    /// Twice as many as request threads by default, so that few threads meet at one.
    private static let slots = (0..<16).map { _ in Slot() }

    /// A place for a context that one thread uses at a time; who finds it busy goes on to the next.
    ///
    /// Behind a single lock, threads that all check signatures wait for each other.
    private final class Slot: Sendable {
        private let context = Mutex<Context?>(nil)

        /// Where the calling thread looks first: addresses of threads lie a stack apart, so they are mixed.
        static var ofThisThread: Int {
            Int(truncatingIfNeeded: (UInt64(pthread_self()) &* 0x9E37_79B9_7F4A_7C15) >> 60)
        }

        func codeIfIdle(for bytes: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> [UInt8]? {
            context.withLockIfAvailable { context in
                let own = context ?? Context()
                context = own
                return own.code(for: bytes, key: key)
            }
        }
    }

    /// OpenSSL's state, kept: finding the algorithm by its name takes as long as 4 KB do.
    // Safe because it is used behind its slot's lock, or by the one who made it.
    private final class Context: @unchecked Sendable {
        private let pointer: OpaquePointer
        /// What the state is keyed with: nearly always what the next code needs too.
        private var key: [UInt8]?

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

        func code(for bytes: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> [UInt8] {
            var code = [UInt8](repeating: 0, count: 32)
            var length = 0
            let made =
                begin(key)
                && EVP_MAC_update(pointer, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count) == 1
                && EVP_MAC_final(pointer, &code, &length, code.count) == 1
            precondition(made && length == code.count, "HMAC failed: OpenSSL's error \(ERR_peek_error())")
            return code
        }

        private func begin(_ key: UnsafeRawBufferPointer) -> Bool {
            // No address means the former key.
            if let former = self.key, former.elementsEqual(key) {
                return EVP_MAC_init(pointer, nil, 0, nil) == 1
            }
            let kept = [UInt8](key)
            self.key = kept
            return EVP_MAC_init(pointer, kept, kept.count, nil) == 1
        }
    }
}

/// Whether both are the same, in a time that does not tell where they differ.
package func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
