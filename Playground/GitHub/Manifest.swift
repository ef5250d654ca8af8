import FoundationEssentials
import PlaygroundFace
import Porter

/// A manifest as GitHub takes it, with every complaint of GitHub's about one that it does not take.
///
/// - SeeAlso: <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>
struct Manifest: Sendable {
    var name: String
    let url: String
    let hookURL: String
    let redirectURL: String
    let callbackURLs: [String]
    let setupURL: String?
    let isPublic: Bool
    let permissions: [String: String]
    let events: [String]

    static let mostName = 34

    /// The App's name in addresses.
    var slug: String {
        let plain = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return String(plain).split(separator: "-").joined(separator: "-")
    }

    private static let keys: Set<String> = [
        "name", "url", "hook_attributes", "redirect_url", "callback_urls", "setup_url", "description",
        "public",
        "default_events", "default_permissions", "request_oauth_on_install", "setup_on_update",
    ]
    /// Permissions that an App can ask for, with their levels.
    private static let permissionNames: Set<String> = [
        "actions", "administration", "checks", "contents", "deployments", "gists", "issues", "metadata",
        "pages", "pull_requests", "statuses", "workflows", "members",
    ]
    /// Which of the permissions each event needs, any one of them.
    private static let eventNeeds: [String: [String]] = [
        "issue_comment": ["issues", "pull_requests"], "issues": ["issues"], "pull_request": ["pull_requests"],
        "pull_request_review": ["pull_requests"], "pull_request_review_comment": ["pull_requests"],
        "repository": ["metadata"], "check_run": ["checks"], "check_suite": ["checks"],
        "status": ["statuses"],
        "push": ["contents"], "create": ["contents"], "delete": ["contents"], "label": ["metadata"],
    ]
    /// Events that arrive unasked and may not be asked for.
    private static let unaskedEvents: Set<String> = [
        "installation", "installation_repositories", "github_app_authorization", "meta", "ping",
    ]

    /// Reads a manifest, or says all that is wrong with it.
    static func read(_ text: String) -> Result<Manifest, Complaints> {
        guard let json = JSON(Data(text.utf8)), let fields = json.object else {
            return .failure(
                Complaints(lines: ["The configuration does not appear to be a valid GitHub App manifest."]))
        }
        var lines: [String] = []
        for key in fields.keys.sorted() where !keys.contains(key) {
            lines.append("\"\(key)\" is not a permitted key.")
        }
        let name = json["name"].string ?? ""
        lines += complaints(name: name)
        func address(_ key: String, _ value: JSON, isNeeded: Bool) -> String? {
            if value.isNull {
                if isNeeded { lines.append("\"\(key)\" wasn't supplied.") }
                return nil
            }
            guard let text = value.string, text.hasPrefix("https://") || text.hasPrefix("http://") else {
                lines.append("\"\(key)\" must be a valid URL")
                return nil
            }
            return text
        }
        let url = address("url", json["url"], isNeeded: true)
        let redirect = address("redirect_url", json["redirect_url"], isNeeded: true)
        let setup = address("setup_url", json["setup_url"], isNeeded: false)
        let hook = json["hook_attributes"]
        let hookURL = address("hook_attributes.url", hook["url"], isNeeded: true)
        for key in (hook.object ?? [:]).keys.sorted() where key != "url" && key != "active" {
            lines.append("\"hook_attributes\" has a key that is not permitted: \"\(key)\".")
        }
        let callbacks = json["callback_urls"].array.compactMap(\.string)
        if callbacks.count > 10 { lines.append("Callback URLs are limited to 10") }
        let permissions = readPermissions(json["default_permissions"], &lines)
        let events = readEvents(json["default_events"], permissions, &lines)
        guard lines.isEmpty, let url, let redirect, let hookURL else {
            return .failure(Complaints(lines: lines))
        }
        return .success(
            Manifest(
                name: name, url: url, hookURL: hookURL, redirectURL: redirect, callbackURLs: callbacks,
                setupURL: setup, isPublic: json["public"].bool ?? false, permissions: permissions,
                events: events))
    }

    /// What is wrong with a name.
    static func complaints(name: String) -> [String] {
        if name.isEmpty { return ["Name can't be blank"] }
        if name.count > mostName { return ["Name is too long (maximum is \(mostName) characters)"] }
        return []
    }

    private static func readPermissions(_ json: JSON, _ lines: inout [String]) -> [String: String] {
        var found = ["metadata": "read"]
        for (name, level) in (json.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard permissionNames.contains(name) else {
                lines.append("Default permission records resource is not included in the list: \(name)")
                continue
            }
            guard let level = level.string, ["read", "write", "admin"].contains(level) else {
                lines.append("Default permission records action is not included in the list: \(name)")
                continue
            }
            found[name] = level
        }
        return found
    }

    private static func readEvents(
        _ json: JSON, _ permissions: [String: String], _ lines: inout [String]
    ) -> [String] {
        let events = json.array.compactMap(\.string)
        for event in events {
            if unaskedEvents.contains(event) {
                lines.append("Default events unsupported: \(event)")
            } else if let needs = eventNeeds[event] {
                if !needs.contains(where: { permissions[$0] != nil }) {
                    lines.append("Default events are not supported by permissions: \(event)")
                }
            } else {
                lines.append("Default events unsupported: \(event)")
            }
        }
        return events
    }

    /// Everything that is wrong with a manifest.
    struct Complaints: Error {
        let lines: [String]
    }
}
