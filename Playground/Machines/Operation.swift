import Foundation
import PlaygroundFace
import PorterHTTP

/// What a call asks for.
enum Operation: Hashable, Sendable {
    case currentToken
    case app
    case create
    case list
    case find(String)
    case wait(String)
    case destroy(String)
    /// A path or a method that Fly does not have, or that this face does not.
    case unknown

    init(_ request: Request) {
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            .map { $0.removingPercentEncoding ?? String($0) }
        let isApp = parts.count >= 3 && parts[0] == "v1" && parts[1] == "apps"
        let isMachines = isApp && parts.count >= 4 && parts[3] == "machines"
        switch (request.method, parts.count) {
        case ("GET", 3) where parts == ["v1", "tokens", "current"]: self = .currentToken
        case ("GET", 3) where isApp: self = .app
        case ("POST", 4) where isMachines: self = .create
        case ("GET", 4) where isMachines: self = .list
        case ("GET", 5) where isMachines: self = .find(parts[4])
        case ("DELETE", 5) where isMachines: self = .destroy(parts[4])
        case ("GET", 6) where isMachines && parts[5] == "wait": self = .wait(parts[4])
        default: self = .unknown
        }
    }

    /// The machine that it is about.
    var machine: String? {
        switch self {
        case .find(let id), .wait(let id), .destroy(let id): id
        case .currentToken, .app, .create, .list, .unknown: nil
        }
    }

    /// The name that the rate limit counts by.
    var action: String {
        switch self {
        case .currentToken: "token"
        case .app: "app"
        case .create: "create"
        case .list: "list"
        case .find: "find"
        case .wait: "wait"
        case .destroy: "destroy"
        case .unknown: "unknown"
        }
    }

    /// The app that the call names.
    func app(_ request: Request) -> String {
        let parts = request.path.split(separator: "/")
        return parts.count > 2 ? parts[2].removingPercentEncoding ?? "" : ""
    }
}
