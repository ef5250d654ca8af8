import FoundationEssentials
import PorterHTTP

/// Which part of this GitHub answers what.
struct Site: Sendable {
    let world: World

    static let apiPath = "/api/v3"

    /// Answers, or has a bad day.
    func answer(_ request: Request) -> Response {
        let (path, _) = Target.split(request.target)
        if path.hasPrefix("/_playground/") { return Control(world: world).answer(request) }
        let shown = path.hasPrefix(Self.apiPath + "/") ? String(path.dropFirst(Self.apiPath.count)) : path
        guard let fault = world.takeFault(request.method, shown) else { return proper(request, path) }
        return fault.spoil(request) { proper(request, path) }
    }

    private func proper(_ request: Request, _ path: String) -> Response {
        if path == Self.apiPath || path.hasPrefix(Self.apiPath + "/") {
            return RestAPI(world: world).answer(request)
        }
        if let call = GitCall(request) { return GitBackend(world: world).answer(request, call) }
        return OAuth(world: world).answer(request) ?? AppPages(world: world).answer(request)
            ?? Pages(world: world).answer(request)
    }
}

/// Paths and queries, taken apart.
enum Target {
    /// The path as it was sent, and the query decoded.
    static func split(_ target: String) -> (path: String, query: [String: String]) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var query: [String: String] = [:]
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = halves.count > 1 ? halves[1].replacing("+", with: " ") : ""
            query[decoded(String(halves[0]))] = decoded(String(value))
        }
        return (String(parts[0]), query)
    }

    /// Without percent encoding; what is no encoding stays as it is.
    static func decoded(_ text: String) -> String {
        guard text.contains("%") else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// One component of a path.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let character = Character(Unicode.Scalar(byte))
            let isPlain =
                byte < 128 && (character.isLetter || character.isNumber || "-._~".contains(character))
            result +=
                isPlain
                ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return result
    }
}
