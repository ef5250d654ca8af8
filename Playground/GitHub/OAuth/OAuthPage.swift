import FoundationEssentials
import PlaygroundFace
import Porter
import PorterHTTP

/// A plain page with one form in it.
enum OAuthPage {
    /// The page.
    ///
    /// - Parameter formsLeadTo: an address whose origin a form may lead on to.
    static func make(
        _ title: String, _ body: String, formsLeadTo: String? = nil, status: Int = 200
    ) -> Response {
        let origin = formsLeadTo.map { address in
            " " + address.split(separator: "/", maxSplits: 3).prefix(2).joined(separator: "//")
        }
        let html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(escaped(title))</title>
            <link rel="stylesheet" href="/_playground/pages/style.css">
            </head>
            <body>
            <header class="bar"><a href="/">Playground</a><span>a stand-in for GitHub, on this box only</span></header>
            <main><h1>\(escaped(title))</h1>\(body)</main>
            </body>
            </html>

            """
        return Response(
            status: status,
            fields: [
                "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store",
                "Content-Security-Policy":
                    "default-src 'none'; style-src 'self'; form-action 'self'\(origin ?? ""); "
                    + "base-uri 'none'; frame-ancestors 'none'",
                "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            ], body: Data(html.utf8))
    }

    /// A form in which a person says who they are and decides.
    static func form(
        to path: String, hidden: [(String, String)], people: [String], chosen: String?,
        buttons: [(value: String, words: String)]
    ) -> String {
        let kept = hidden.map { name, value in
            "<input type=\"hidden\" name=\"\(escaped(name))\" value=\"\(escaped(value))\">"
        }.joined()
        let options = people.map { login in
            "<option\(login == chosen ? " selected" : "")>\(escaped(login))</option>"
        }.joined()
        let decisions = buttons.map { value, words in
            "<button type=\"submit\" name=\"decision\" value=\"\(escaped(value))\">\(escaped(words))</button>"
        }.joined(separator: " ")
        return """
            <form class="box" method="post" action="\(escaped(path))">\(kept)
            <p class="row"><label for="login">Signed in as</label>
            <select id="login" name="login">\(options)</select></p>
            <p class="row">\(decisions)</p>
            </form>
            """
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}

/// An organisation's single sign-on: `/orgs/{login}/sso`.
struct SingleSignOnPage: Sendable {
    let world: World

    func answer(_ request: Request) -> Response? {
        let segments = Target.split(request.target).path.split(separator: "/").map {
            Target.decoded(String($0))
        }
        guard segments.count == 3, segments[0] == "orgs", segments[2] == "sso" else { return nil }
        let organization = world.with { $0.account(segments[1]) }
        guard let organization, organization.kind == .organization else { return nil }
        let title = "Single sign-on to \(organization.login)"
        guard request.method == "POST" else {
            let people = world.with { state in
                state.accounts.values.filter { $0.kind == .user }.sorted { $0.id < $1.id }.map(\.login)
            }
            return OAuthPage.make(
                title,
                OAuthPage.form(
                    to: "/orgs/\(Target.encoded(organization.login))/sso", hidden: [], people: people,
                    chosen: nil, buttons: [("continue", "Continue")]))
        }
        let login = OAuth.form(request)["login"] ?? ""
        let isDone = world.with { state -> Bool in
            guard let account = state.account(login) else { return false }
            state.oauth.organizations[organization.id, default: OrganizationRules()].signedOn
                .insert(account.id)
            return true
        }
        return OAuthPage.make(
            title, isDone ? "<p>Done. You can go back now.</p>" : "<p>There is no such person.</p>",
            status: isDone ? 200 : 404)
    }
}
