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

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = Character(Unicode.Scalar(digits[index])).hexDigitValue,
                let low = Character(Unicode.Scalar(digits[index + 1])).hexDigitValue
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}
