package import FoundationEssentials
package import Porter
import PorterCrypto

/// Proves that a delivery comes from GitHub.
package enum WebhookSignature {
    /// Whether the header is `sha256=` and the HMAC of the raw body under the secret.
    ///
    /// - SeeAlso: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>
    package static func isValid(_ header: String?, body: Data, secret: Secret) -> Bool {
        guard let header, header.hasPrefix("sha256="), !secret.isEmpty,
            let given = bytes(header.dropFirst(7))
        else { return false }
        return constantTimeEquals(given, secret.reveal { HMACSHA256.code(for: body, key: $0) })
    }

    /// The digest that tells the bodies of deliveries apart: a byte that names the secret, then the signature.
    ///
    /// The same body has the same signature for as long as the secret stays, and a form another than the JSON in it.
    /// With the byte in front, what was signed with another secret is taken for another body once in 256 times only;
    /// one byte of its SHA-256 helps nobody to guess a secret.
    ///
    /// - Parameter header: a signature that ``isValid(_:body:secret:)``.
    package static func digest(_ header: String, secret: Secret) -> [UInt8] {
        secret.reveal { SHA256.digest(Data($0.utf8)) }.prefix(1) + (bytes(header.dropFirst(7)) ?? [])
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        text.utf8.withContiguousStorageIfAvailable { text in
            guard text.count == 64 else { return nil }
            // What is no digit sets a high bit, which is looked at once.
            var misfits: UInt8 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 32) { bytes, count in
                for index in 0..<32 {
                    let high = digit(text[2 * index])
                    let low = digit(text[2 * index + 1])
                    misfits |= high | low
                    bytes[index] = high << 4 | low
                }
                count = 32
            }
            return misfits < 16 ? bytes : nil
        } ?? nil
    }

    /// The value of a hexadecimal digit; 255 for any other byte.
    private static func digit(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: 255
        }
    }
}
