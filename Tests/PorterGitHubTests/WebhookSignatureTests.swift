import Foundation
import Porter
import Testing

@testable import PorterGitHub

@Suite struct WebhookSignatureTests {
    private static let secret = Secret("It's a Secret to Everybody")
    private static let body = Data("Hello, World!".utf8)
    private static let digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    /// - SeeAlso: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation>
    @Test func `GitHub's own example is valid, in either case of its digits`() {
        for digest in [Self.digest, Self.digest.uppercased()] {
            #expect(
                WebhookSignature.isValid("sha256=" + digest, body: Self.body, secret: Self.secret))
        }
    }

    private static let others: [String?] = {
        let (first, last) = (String(digest.dropFirst()), String(digest.dropLast()))
        let zeros = String(repeating: "0", count: 64)
        let prefixes = ["", "sha1=", "SHA256=", "sha256= ", "sha256=="]
        let digests = [
            "", last, "\(digest)0", "\(digest)\n", "x\(first)", "\(last)x", "８\(first)", zeros, "6\(first)",
        ]
        return [nil, ""] + prefixes.map { $0 + digest } + digests.map { "sha256=" + $0 } + ["sha256=\(last)8"]
    }()

    @Test(arguments: others)
    func `any other header is not`(header: String?) {
        #expect(!WebhookSignature.isValid(header, body: Self.body, secret: Self.secret))
    }

    @Test func `another body or secret is not, and an empty secret signs nothing`() {
        let header = "sha256=" + Self.digest
        #expect(!WebhookSignature.isValid(header, body: Data("Hello, World".utf8), secret: Self.secret))
        #expect(
            !WebhookSignature.isValid(header, body: Self.body, secret: Secret("It's a secret to Everybody")))
        // The HMAC of the body under the empty key.
        let unkeyed = "sha256=2bbcfa9524f3218c7a34b30e6936f8b1a4516cb097f1a85a1c7d98b5977ec769"
        #expect(!WebhookSignature.isValid(unkeyed, body: Self.body, secret: Secret("")))
    }

    @Test func `the digest of a delivery is its signature behind a byte that names the secret`() {
        let header = "sha256=" + Self.digest
        let digest = WebhookSignature.digest(header, secret: Self.secret)
        #expect(digest.dropFirst().map { String(format: "%02x", $0) }.joined() == Self.digest)
        #expect(WebhookSignature.digest(header, secret: Self.secret) == digest)
        #expect(
            WebhookSignature.digest("sha256=" + Self.digest.uppercased(), secret: Self.secret) == digest)
        let other = WebhookSignature.digest(header, secret: Secret("It's a secret to Everybody"))
        #expect(other.first != digest.first && other.dropFirst() == digest.dropFirst())
    }
}
