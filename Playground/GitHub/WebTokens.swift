import PlaygroundFace
import FoundationEssentials
import Porter
import PorterCrypto
import Synchronization

/// Checks the JSON web token by which the App shows who it is.
///
/// - SeeAlso: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
enum WebToken {
    /// Seconds between a token's beginning and its end at most.
    static let longestLife: Int64 = 600

    private static let unreadable = Refusal(
        status: 401, message: "A JSON web token could not be decoded")

    /// Accepts a token that the App's own key has signed and that is good now.
    static func verify(_ token: String, _ world: World) throws(Refusal) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = decode(parts[0]).flatMap(JSON.init(_:)),
            let claims = decode(parts[1]).flatMap(JSON.init(_:)), claims.object != nil,
            header["alg"].string == "RS256", let signature = decode(parts[2]),
            // RS256 has one signature for one message: making it again is checking it.
            let expected = try? world.registration.withLock({ $0.signer }).sign(
                Array("\(parts[0]).\(parts[1])".utf8)),
            constantTimeEquals(Array(signature), expected)
        else { throw unreadable }
        try check(claims, world)
    }

    private static func check(_ claims: JSON, _ world: World) throws(Refusal) {
        let app = world.with { $0.app }
        let issuer = claims["iss"].int.map(String.init) ?? claims["iss"].string
        guard let issuer else {
            throw Refusal(status: 401, message: "'Issuer' claim ('iss') must be an Integer")
        }
        guard issuer == String(app.id) || issuer == app.clientID else {
            throw Refusal(status: 404, message: "Integration not found")
        }
        let now = world.clock.now().seconds
        guard let begin = claims["iat"].int, begin <= now else {
            throw Refusal(
                status: 401,
                message: """
                    'Issued at' claim ('iat') must be an Integer representing the time that the assertion was \
                    issued
                    """)
        }
        guard let end = claims["exp"].int, end > now else {
            throw Refusal(
                status: 401,
                message: """
                    'Expiration time' claim ('exp') must be a numeric value representing the future time at \
                    which the assertion expires
                    """)
        }
        guard end - begin <= longestLife, end - now <= longestLife else {
            throw Refusal(
                status: 401, message: "'Expiration time' claim ('exp') is too far in the future")
        }
    }

    private static func decode(_ text: String) -> Data? {
        guard !text.contains("="), !text.contains("+"), !text.contains("/") else { return nil }
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }
}
