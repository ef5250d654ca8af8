import FoundationEssentials
import Porter
import PorterHTTP

/// Reads what GitHub answers when it does not do what was asked.
///
/// - SeeAlso: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
enum Refusal {
    /// Seconds to wait when GitHub asks for less hurry and does not say how long.
    static let unstatedWait = 60
    /// Seconds to wait at most, whatever an answer says.
    static let longestWait = 86_400

    private struct Body: Decodable {
        struct Detail: Decodable {
            let message: String?
            let code: String?
            let field: String?

            init(from decoder: any Decoder) throws {
                // Some operations list plain strings.
                if let text = try? decoder.singleValueContainer().decode(String.self) {
                    (message, code, field) = (text, nil, nil)
                    return
                }
                let container = try decoder.container(keyedBy: CodingKeys.self)
                message = try? container.decodeIfPresent(String.self, forKey: .message)
                code = try? container.decodeIfPresent(String.self, forKey: .code)
                field = try? container.decodeIfPresent(String.self, forKey: .field)
            }

            private enum CodingKeys: String, CodingKey {
                case message, code, field
            }
        }

        let message: String?
        let errors: [Detail]?
    }

    /// Whether it is a page for people: GitHub's API sends none when all is well, so that some proxy or
    /// GitHub's own front door has answered.
    static func isPage(_ response: Response) -> Bool {
        response.fields["Content-Type"]?.lowercased().hasPrefix("text/html") == true
    }

    /// The error of an answer that is no success.
    ///
    /// - Parameter credential: what the request was sent with, which no error shows.
    static func error(
        _ response: Response, _ operation: String, hiding credential: Substring, now: Instant
    ) -> GitHubError {
        let body = try? JSONDecoder().decode(Body.self, from: response.body)
        let details = body?.errors?.compactMap { detail in
            detail.message ?? [detail.field, detail.code].compactMap { $0 }.joined(separator: " ")
        }
        let words = ([body?.message].compactMap { $0 } + (details ?? [])).joined(separator: "; ")
        func hidden(_ text: String) -> String {
            credential.isEmpty ? text : text.replacing(credential, with: "<redacted>")
        }
        return GitHubError(
            code(response, words, now: now), operation: operation, status: response.status,
            message: String(hidden(words).prefix(500)),
            requestID: response.fields["X-GitHub-Request-Id"].map(hidden),
            singleSignOn: SingleSignOn(response).page)
    }

    private static func code(_ response: Response, _ words: String, now: Instant) -> GitHubError.Code {
        if [403, 429].contains(response.status), let until = wait(response, words, now: now) {
            return .rateLimited(until: until)
        }
        if isPage(response) { return .uncertain }
        switch response.status {
        case 200..<300: return .uncertain
        case 401: return .unauthorized
        case 403:
            return words.lowercased().contains("locked") ? .gone : .forbidden
        case 404: return .notFound
        case 410: return .gone
        case 408, 500...: return .uncertain
        default: return .refused
        }
    }

    /// In GitHub's order: `retry-after`, then an exhausted limit's reset, then at least a minute.
    private static func wait(_ response: Response, _ words: String, now: Instant) -> Instant? {
        if let seconds = response.fields["Retry-After"].flatMap({ Int($0) }), seconds >= 0 {
            return now.adding(seconds: min(seconds, longestWait))
        }
        if response.fields["X-RateLimit-Remaining"] == "0" {
            let reset = response.fields["X-RateLimit-Reset"].flatMap { Int64($0) } ?? 0
            guard reset > now.seconds else { return now.adding(seconds: unstatedWait) }
            return Instant(seconds: min(reset, now.seconds + Int64(longestWait)))
        }
        let isLimit =
            response.status == 429 || words.lowercased().contains("secondary rate limit")
            || words.lowercased().contains("rate limit exceeded")
        return isLimit ? now.adding(seconds: unstatedWait) : nil
    }
}
