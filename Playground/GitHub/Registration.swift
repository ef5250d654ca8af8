import FoundationEssentials
import PlaygroundFace
import Porter
import PorterCrypto
import PorterProcess
import Synchronization

/// What belongs to the App that is registered now and is not shown: its keys, and where its deliveries go.
struct Registration: Sendable {
    var signer: RSASigner
    var webhookSecret: String
    var webhookURL: String
    var clientSecret: String
}

/// An App that a manifest has made, until its code is converted.
struct PendingApp: Sendable {
    let manifest: Manifest
    let ownerID: Int64
    let expiresAt: Instant
    /// Whether the conversion tells no secret of the webhook, as GitHub may.
    let hidesHookSecret: Bool

    /// Seconds that a code is good for.
    static let lifetime = 3600
}

extension World {
    /// Registers the App in place of the one before, whose installations and tokens are gone with it.
    ///
    /// - Returns: everything that GitHub tells this once.
    func register(_ pending: PendingApp) throws(Refusal) -> JSON {
        let pem = try Self.newKey()
        guard let signer = try? RSASigner(pem: pem) else {
            throw Refusal(status: 500, message: "The playground made a key that is none.")
        }
        let manifest = pending.manifest
        let secret = SecureRandom.bytes(20).hexadecimal
        let registration = Registration(
            signer: signer, webhookSecret: pending.hidesHookSecret ? "" : secret,
            webhookURL: manifest.hookURL,
            clientSecret: SecureRandom.bytes(20).hexadecimal)
        let json = with { state -> JSON in
            let slug = manifest.slug
            let bot = state.addAccount("\(slug)[bot]", .bot)
            let id = state.newID()
            state.app = App(
                id: id, slug: slug, clientID: "Iv23li" + SecureRandom.bytes(7).hexadecimal,
                ownerID: pending.ownerID, botID: bot.id, hookID: state.newID(), createdAt: state.now,
                name: manifest.name, asked: manifest.permissions, heard: manifest.events,
                isPublic: manifest.isPublic, setupURL: manifest.setupURL, callbackURLs: manifest.callbackURLs)
            state.oauth.grantsGists = manifest.permissions["gists"] == "write"
            state.installations = [:]
            state.tokens = [:]
            return state.json(app: state.app)
                + [
                    "client_secret": .string(registration.clientSecret), "pem": .string(pem),
                    "webhook_secret": pending.hidesHookSecret ? .null : .string(secret),
                ]
        }
        self.registration.withLock { $0 = registration }
        effects.append(
            "app.registered", actor: with { $0.accounts[pending.ownerID]?.login ?? "ghost" },
            ["slug": json["slug"], "id": json["id"]])
        return json
    }

    /// A fresh private key in the form in which GitHub gives one.
    private static func newKey() throws(Refusal) -> String {
        let command = Command(
            "/usr/bin/openssl", ["genrsa", "-traditional", "2048"],
            environment: ["PATH": "/usr/bin:/bin"])
        guard let result = try? command.run(timeout: .seconds(60)), result.isGood else {
            throw Refusal(status: 500, message: "The playground cannot make a key: openssl failed.")
        }
        return String(decoding: result.output, as: UTF8.self)
    }
}
