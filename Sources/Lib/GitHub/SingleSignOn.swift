import PorterHTTP

/// What GitHub says of an organisation's single sign-on, in the field `X-GitHub-SSO`.
///
/// `required; url=https://github.com/orgs/octo/sso?authorization_request=…` beside a 403, or
/// `partial-results; organizations=21955855,20582480` beside a list that lacks something.
///
/// - SeeAlso: <https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api#authenticating-with-a-personal-access-token>
struct SingleSignOn {
    /// Where the person signs on; nil when nothing asks for it.
    let page: String?
    /// The ids of organisations that the answer leaves out.
    let hidden: [Int64]

    init(_ response: Response) {
        let field = response.fields["X-GitHub-SSO"] ?? ""
        func value(_ name: String) -> Substring? {
            guard let start = field.firstRange(of: name + "=")?.upperBound else { return nil }
            return field[start...].prefix { $0 != ";" && $0 != " " }
        }
        page = field.hasPrefix("required") ? value("url").map(String.init) : nil
        hidden = (value("organizations") ?? "").split(separator: ",").compactMap { Int64($0) }
    }
}
