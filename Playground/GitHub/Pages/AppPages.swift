import FoundationEssentials
import PlaygroundFace
import Porter
import PorterCrypto
import PorterHTTP

/// The pages on which a person makes an App from a manifest, and installs it.
///
/// Whoever comes is the organisation's admin; plain HTML, which works without a script.
struct AppPages: Sendable {
    let world: World

    /// The admin of the seeded organisations, in whose name everything here is done.
    static let person: Int64 = 583_231
    /// The name of the field by which a test asks for a conversion without a webhook's secret.
    static let hiddenSecretField = "hide_webhook_secret"

    /// The answer, nil when the address is none of these.
    func answer(_ request: Request) -> Response? {
        let (path, query) = Target.split(request.target)
        let segments = path.split(separator: "/").map { Target.decoded(String($0)) }
        let form = Self.form(request)
        let isPost = request.method == "POST"
        if segments.count == 4 {
            let isInstallation = Array(segments[2...]) == ["installations", "new"]
            if segments[0] == "apps", isInstallation, !isPost { return chooseAccount(segments[1]) }
            if Array(segments[2...]) == ["settings", "apps"], isPost {
                return create(form, query, owner: segments[1])
            }
        }
        if segments.count == 3, segments[0] == "apps", segments[2] == "installations", isPost {
            return install(segments[1], form)
        }
        let isNew = segments.suffix(3) == ["settings", "apps", "new"]
        let owner = segments.count == 5 && segments[0] == "organizations" ? segments[1] : nil
        if isNew, segments.count == 3 || owner != nil {
            if isPost { return offer(form, query, owner: owner) }
            return page("Register new GitHub App", "<p>Post a manifest here to make an App from it.</p>")
        }
        if isPost, segments == ["settings", "apps"] { return create(form, query, owner: nil) }
        return nil
    }

    // MARK: - Making an App

    private func owner(_ login: String?) -> Account? {
        guard let login else { return world.with { $0.accounts[Self.person] } }
        return world.with { $0.account(login) }.flatMap { $0.kind == .organization ? $0 : nil }
    }

    /// Shows what the App would be, with its name to be changed.
    private func offer(
        _ form: [String: String], _ query: [String: String], owner login: String?
    ) -> Response {
        guard let owner = owner(login) else { return page("Not Found", "<p>404</p>", status: 404) }
        switch Manifest.read(form["manifest"] ?? "") {
        case .failure(let complaints): return refuse(complaints.lines)
        case .success(let manifest):
            let place = login.map { "/organizations/\(Target.encoded($0))/settings/apps" } ?? "/settings/apps"
            let state = query["state"].map { "?state=\(Target.encoded($0))" } ?? ""
            let permissions = manifest.permissions.sorted { $0.key < $1.key }
                .map { "<li>\(Self.escaped($0.key)): \($0.value)</li>" }.joined()
            return page(
                "Create GitHub App for \(Self.escaped(owner.login))",
                """
                <form method="post" action="\(place)\(state)">
                <p><label for="name">GitHub App name</label>
                <input id="name" name="name" value="\(Self.escaped(manifest.name))" required></p>
                <input type="hidden" name="manifest" value="\(Self.escaped(form["manifest"] ?? ""))">
                <ul>\(permissions)</ul>
                <p><button type="submit">Create GitHub App for \(Self.escaped(owner.login))</button></p>
                </form>
                """, formTarget: manifest.redirectURL)
        }
    }

    /// Makes a code for the App and sends the person back with it.
    private func create(
        _ form: [String: String], _ query: [String: String], owner login: String?
    ) -> Response {
        guard let owner = owner(login) else { return page("Not Found", "<p>404</p>", status: 404) }
        switch Manifest.read(form["manifest"] ?? "") {
        case .failure(let complaints): return refuse(complaints.lines)
        case .success(var manifest):
            manifest.name = form["name"] ?? manifest.name
            let complaints = Manifest.complaints(name: manifest.name)
            guard complaints.isEmpty else { return refuse(complaints) }
            guard world.with({ $0.app.slug }) != manifest.slug else {
                return refuse(["Name has already been taken"])
            }
            let code = SecureRandom.bytes(20).hexadecimal
            let pending = PendingApp(
                manifest: manifest, ownerID: owner.id,
                expiresAt: world.clock.now().adding(seconds: PendingApp.lifetime),
                hidesHookSecret: form[Self.hiddenSecretField] != nil)
            world.with { $0.pendingApps[code] = pending }
            let joint = manifest.redirectURL.contains("?") ? "&" : "?"
            let state = query["state"].map { "&state=\(Target.encoded($0))" } ?? ""
            return Response(
                status: 302, fields: ["Location": "\(manifest.redirectURL)\(joint)code=\(code)\(state)"])
        }
    }

    private func refuse(_ lines: [String]) -> Response {
        let list = lines.map { "<li>\(Self.escaped($0))</li>" }.joined()
        return page(
            "Invalid GitHub App configuration",
            "<p>Error Invalid GitHub App configuration</p><ul>\(list)</ul>", status: 422)
    }

    // MARK: - Installing it

    /// The accounts on which the App may be installed: a private one only on its owner's.
    private func accounts() -> [Account] {
        world.with { state in
            let all = state.accounts.values.filter { $0.kind == .organization || $0.id == Self.person }
            return all.filter { state.app.isPublic || $0.id == state.app.ownerID }.sorted { $0.id < $1.id }
        }
    }

    private func chooseAccount(_ slug: String) -> Response {
        guard slug == world.with({ $0.app.slug }) else { return page("Not Found", "<p>404</p>", status: 404) }
        let options = accounts().map { "<option>\(Self.escaped($0.login))</option>" }.joined()
        return page(
            "Install \(Self.escaped(slug))",
            """
            <form method="post" action="/apps/\(Target.encoded(slug))/installations">
            <p><label for="account">Where do you want to install it?</label>
            <select id="account" name="account">\(options)</select></p>
            <p><button type="submit">Install</button></p>
            </form>
            """, formTarget: world.with { $0.app.setupURL })
    }

    private func install(_ slug: String, _ form: [String: String]) -> Response {
        guard slug == world.with({ $0.app.slug }),
            let account = accounts().first(where: { $0.login == form["account"] })
        else { return page("Not Found", "<p>404</p>", status: 404) }
        let (id, setup) = world.with { state -> (Int64, String?) in
            if let known = state.installations.values.first(where: { $0.accountID == account.id }) {
                return (known.id, state.app.setupURL)
            }
            let installation = Installation(
                id: state.newID(), accountID: account.id, permissions: state.app.asked, createdAt: state.now)
            state.installations[installation.id] = installation
            let repositories = state.repositories(of: installation).map { state.json(brief: $0) }
            _ = world.announce(
                &state, "installation", "created",
                ["installation": state.json(installation), "repositories": .array(repositories)], in: nil,
                by: Self.person, installation: installation)
            return (installation.id, state.app.setupURL)
        }
        world.effects.append("installation.created", actor: account.login, ["installation": .int(id)])
        guard let setup else { return page("Installed", "<p>The App is installed.</p>") }
        let joint = setup.contains("?") ? "&" : "?"
        return Response(
            status: 302,
            fields: ["Location": "\(setup)\(joint)installation_id=\(id)&setup_action=install"])
    }

    // MARK: - HTML

    private func page(
        _ title: String, _ body: String, status: Int = 200, formTarget: String? = nil
    ) -> Response {
        let target = formTarget.flatMap { $0.split(separator: "/").count > 1 ? Self.origin($0) : nil } ?? ""
        let html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <link rel="stylesheet" href="/_playground/pages/style.css">
            </head>
            <body>
            <header class="bar"><a href="/">Playground</a><span>a stand-in for GitHub, on this box only</span></header>
            <main id="main"><h1>\(title)</h1>
            \(body)
            </main>
            </body>
            </html>

            """
        return Response(
            status: status,
            fields: [
                "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store",
                // Where a form leads on to by a redirect counts as its target, too.
                "Content-Security-Policy":
                    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' \(target); "
                    + "base-uri 'none'; frame-ancestors 'none'",
                "X-Content-Type-Options": "nosniff",
            ], body: Data(html.utf8))
    }

    private static func origin(_ url: String) -> String {
        url.split(separator: "/").prefix(2).joined(separator: "//")
    }

    private static func form(_ request: Request) -> [String: String] {
        guard request.method == "POST" else { return [:] }
        return Target.split("?" + String(decoding: request.body, as: UTF8.self)).query
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
