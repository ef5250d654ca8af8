import PlaygroundFace
import FoundationEssentials
import Porter
import PorterHTTP

/// Pages for a person with a browser: the repositories, an issue, a pull request.
///
/// The server gives an empty frame; what is in it comes as JSON from ``Control`` and is put in as text.
struct Pages: Sendable {
    let world: World

    /// The page at that address.
    func answer(_ request: Request) -> Response {
        let (path, _) = Target.split(request.target)
        guard request.method == "GET" || request.method == "HEAD" else {
            return page("Not found", "missing", [:], status: 404)
        }
        let segments = path.split(separator: "/").map { Target.decoded(String($0)) }
        if segments.isEmpty { return page("Playground", "home", [:]) }
        if segments.count == 2, isThere(segments) {
            return page(
                segments.joined(separator: "/"), "home", ["repository": segments.joined(separator: "/")])
        }
        guard segments.count == 4, isThere(segments), ["issues", "pull"].contains(segments[2]),
            let issue = issue(segments)
        else { return page("Not found", "missing", [:], status: 404) }
        let kind = issue.pull == nil ? "issues" : "pull"
        guard kind == segments[2] else {
            return Response(
                status: 302, fields: ["Location": "/\(segments[0])/\(segments[1])/\(kind)/\(issue.number)"])
        }
        return page(
            "\(issue.title) · \(segments[0])/\(segments[1])#\(issue.number)", kind,
            ["owner": segments[0], "repo": segments[1], "number": String(issue.number)])
    }

    private func isThere(_ segments: [String]) -> Bool {
        world.with { $0.repository(segments[0], segments[1]) } != nil
    }

    private func issue(_ segments: [String]) -> Issue? {
        world.with { state in
            guard let repository = state.repository(segments[0], segments[1]), let number = Int(segments[3])
            else { return nil }
            return state.issues[IssueKey(repositoryID: repository.id, number: number)]
        }
    }

    private func page(
        _ title: String, _ kind: String, _ data: [String: String], status: Int = 200
    ) -> Response {
        let attributes = data.sorted { $0.key < $1.key }
            .map { " data-\($0.key)=\"\(Self.escaped($0.value))\"" }.joined()
        let form = kind == "issues" || kind == "pull" ? Self.form(people) : ""
        let html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Self.escaped(title))</title>
            <link rel="icon" href="/_playground/avatars/\(Seed.team)">
            <link rel="stylesheet" href="/_playground/pages/style.css">
            <script type="module" src="/_playground/pages/page.js"></script>
            </head>
            <body data-page="\(kind)"\(attributes)>
            <header class="bar"><a href="/">Playground</a><span>a stand-in for GitHub, on this box only</span></header>
            <main id="main"><p id="notice" role="status">Asking the playground…</p></main>
            \(form)
            <noscript><p class="box">This page needs JavaScript.</p></noscript>
            </body>
            </html>

            """
        return Response(
            status: status,
            fields: [
                "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store",
                "Content-Security-Policy":
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                    + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            ], body: Data(html.utf8))
    }

    private var people: [String] {
        world.with { state in
            state.accounts.values.filter { $0.kind == .user }.sorted { $0.id < $1.id }.map(\.login)
        }
    }

    private static func form(_ people: [String]) -> String {
        let options = people.map { "<option>\(escaped($0))</option>" }.joined()
        return """
            <form id="comment" class="box">
            <p class="row"><label for="author">Comment as</label>
            <select id="author" name="author">\(options)</select></p>
            <label for="body">Your comment</label>
            <textarea id="body" name="body" rows="4" required maxlength="65536" aria-describedby="hint"></textarea>
            <p id="hint" class="hint">For example <code>@porter codex add a test</code>. Ctrl+Enter sends it.</p>
            <p class="row"><button type="submit">Comment</button><span id="trouble" role="alert"></span></p>
            </form>
            """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
