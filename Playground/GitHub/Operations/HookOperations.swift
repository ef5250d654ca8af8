import PlaygroundFace
import Porter
import PorterHTTP
import Synchronization

/// Operations on the App's webhook, and the conversion of a manifest.
///
/// - SeeAlso: <https://docs.github.com/en/rest/apps/webhooks>,
///   <https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest>
enum HookOperations {
    static func show(_ call: Call) throws(Refusal) -> Response {
        .gitHub(config(call.world))
    }

    static func change(_ call: Call) throws(Refusal) -> Response {
        var change = call.world.registration.withLock { $0 }
        for (name, value) in call.body.object ?? [:] {
            switch (name, value.string) {
            case ("secret", .some(let secret)): change.webhookSecret = secret
            case ("url", .some(let url)): change.webhookURL = url
            case ("content_type", "json"), ("insecure_ssl", "0"): break
            default: throw .validation("Hook", field: name, code: "invalid")
            }
        }
        let changed = change
        call.world.registration.withLock { $0 = changed }
        call.world.effects.append("hook.changed", actor: call.world.with { $0.app.slug }, [:])
        return .gitHub(config(call.world))
    }

    private static func config(_ world: World) -> JSON {
        let registration = world.registration.withLock { $0 }
        let json: JSON = [
            "content_type": "json", "insecure_ssl": "0", "url": .string(registration.webhookURL),
        ]
        return registration.webhookSecret.isEmpty ? json : json + ["secret": "********"]
    }

    /// Each code is good once, for an hour.
    static func convert(_ call: Call) throws(Refusal) -> Response {
        let code = call.parameters["code"] ?? ""
        guard let pending = call.world.with({ $0.pendingApps.removeValue(forKey: code) }),
            pending.expiresAt > call.world.clock.now()
        else { throw .notFound }
        return .gitHub(try call.world.register(pending), 201)
    }
}
