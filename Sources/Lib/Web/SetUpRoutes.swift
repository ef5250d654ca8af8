import FoundationEssentials
import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// The first run: a page behind a one-time token that leads through GitHub and back.
extension Site {
    static var setUpRoutes: [Route] {
        [
            Route("GET", "/setup", .open) { (site, _) throws(Failure) in try site.setUpPage() },
            Route("GET", "/api/setup/status", .open) { (site, _) throws(Failure) in try site.setUpStatus() },
            Route("POST", "/api/setup/manifest", .open, maximumBody: 4096) {
                (site, exchange) throws(Failure) in
                try site.makeManifest(exchange)
            },
            Route("GET", "/api/setup/callback", .open) { (site, exchange) throws(Failure) in
                try site.takeCode(exchange)
            },
        ]
    }

    /// Nothing is left to set up; the address is as if it had never been.
    private static var setUpDone: Failure {
        Failure(
            404, "not_found", "This Porter is set up. To change its GitHub App, see the operator's guide.")
    }

    /// Refuses whatever belongs to set-up once it is done.
    private func checkSetUpIsOpen() throws(Failure) {
        let progress = try reading { () throws(StoreError) in try work.world.store.setUpProgress() }
        let isDone = work.world.app.isFixed || progress?.stage == .done
        if isDone || (work.world.app.isSetUp && progress?.stage != .stored) { throw Self.setUpDone }
    }

    /// The page itself is nginx's; Porter says whether there is one, and where its form may go.
    private func setUpPage() throws(Failure) -> Response {
        guard !work.world.app.isSetUp else { throw Self.setUpDone }
        let policy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "form-action 'self' \(Self.origin(of: originOfGitHub)); base-uri 'none'; frame-ancestors 'none'"
        return Response(
            status: 200,
            fields: [
                "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store",
                "Content-Security-Policy": policy, "X-Accel-Redirect": "/setup/index.html",
            ])
    }

    /// GitHub's address without a path.
    private var originOfGitHub: String {
        let url = work.policy.githubURL
        guard let start = url.firstRange(of: "://")?.upperBound,
            let slash = url[start...].firstIndex(of: "/")
        else { return url }
        return String(url[..<slash])
    }

    private func setUpStatus() throws(Failure) -> Response {
        try checkSetUpIsOpen()
        work.completeSetUp()
        try checkSetUpIsOpen()
        let progress = try reading { () throws(StoreError) in try work.world.store.setUpProgress() }
        let stage = progress?.stage
        let slug = progress?.slug.map { "\(work.policy.githubURL)/apps/\($0)" }
        return .json(
            200,
            .object([
                "stage": .string(stage?.rawValue ?? "closed"), "message": .string(Self.words(stage)),
                "owner": .text(progress?.owner), "github_url": .string(work.policy.githubURL),
                "public_url": .string(work.policy.publicURL),
                "installation_url": .text(slug.map { $0 + "/installations/new" }),
            ]))
    }

    /// What the person is told at each stage: above all what to do next.
    private static func words(_ stage: SetUpProgress.Stage?) -> String {
        switch stage {
        case nil, .done: "Run `porterctl setup-url` on Porter's box, and open the address that it prints."
        case .offered: "Choose who is to own the App, and go on to GitHub."
        case .sent:
            "GitHub has been asked for an App and did not send you back yet. Finish it there; if that page is gone, run "
                + "`porterctl setup-url` again."
        case .converting:
            "GitHub was about to hand over the App's keys when something came in between. Load the page again to which "
                + "GitHub sent you. If you have, or that page is gone, the App is there without its keys: delete it on "
                + "GitHub, run `porterctl setup-url` again, and begin anew."
        case .stored:
            "The App's keys are stored. GitHub does not know the webhook's secret yet; Porter tries again by itself. "
                + "You can install the App meanwhile."
        }
    }

    private struct TokenBody: Decodable {
        let token: String
    }

    private struct ManifestBody: Decodable {
        let owner: String?
        let checks: Bool?
        let gists: Bool?
    }

    private func makeManifest(_ exchange: Exchange) throws(Failure) -> Response {
        try checkSetUpIsOpen()
        // The token is all that counts here, and no browser sends one by itself; another site's page has none to send.
        if exchange.request.fields["Origin"] != nil { try checkOrigin(exchange.request) }
        // Whoever has no good token is told no more; and nothing that is wrong with the rest uses a good one up.
        let token = Secret(try Bodies.read(TokenBody.self, exchange).token)
        do throws(SetUpFailure) {
            try work.checkSetUpToken(token)
        } catch {
            throw failure(error)
        }
        let body = try Bodies.read(ManifestBody.self, only: ["token", "owner", "checks", "gists"], exchange)
        let owner = body.owner.flatMap { $0.isEmpty ? nil : $0 }
        if let owner, !Self.isLogin(owner) {
            throw .field(
                "owner",
                "must be the name of an organisation on GitHub, at most 39 letters, digits and single dashes between "
                    + "them; it is \(JSON.string(owner).shown).")
        }
        let state: Secret
        do throws(SetUpFailure) {
            state = try work.beginManifest(token: token, owner: owner)
        } catch {
            throw failure(error)
        }
        let policy = work.policy
        let place = owner.map { "/organizations/\($0)/settings/apps/new" } ?? "/settings/apps/new"
        let manifest = AppManifest(
            publicURL: policy.publicURL, owner: owner, withChecks: body.checks ?? false,
            withGists: body.gists ?? false, isPublic: (policy.owners?.count ?? 0) > 1)
        return .json(
            200,
            .object([
                "action": .string("\(policy.githubURL)\(place)?state=\(state.reveal { $0 })"),
                "manifest": JSON(encoding: manifest), "state": .string(state.reveal { $0 }),
            ]))
    }

    /// Whether an organisation can have that name; GitHub leads to a page that is not there with any other, and the
    /// token is used up by then.
    private static func isLogin(_ text: String) -> Bool {
        (1...39).contains(text.utf8.count)
            && text.split(separator: "-", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            }
    }

    /// GitHub sends the person back with a code: it is turned into the App, and on to the installation.
    private func takeCode(_ exchange: Exchange) throws(Failure) -> Response {
        // Whoever only looks must not use the code up.
        if exchange.request.method == "HEAD" {
            guard !work.world.app.isSetUp else { throw Self.setUpDone }
            return Self.leading(to: "/setup")
        }
        do throws(Failure) {
            let fields = try exchange.query.fields
            guard let code = fields["code"], let state = fields["state"], !code.isEmpty, !state.isEmpty,
                code.utf8.count <= 256, state.utf8.count <= 256
            else {
                guard !work.world.app.isSetUp else { throw Self.setUpDone }
                throw .parameter("state", "and `code` must be those that GitHub gave.")
            }
            do throws(SetUpFailure) {
                return Self.leading(
                    to: try work.convertManifest(code: Secret(code), state: Secret(state)))
            } catch {
                throw failure(error)
            }
        } catch {
            // A browser is led to the page, which has the words; a program gets them at once.
            guard exchange.request.fields["Accept"]?.contains("text/html") == true, error.status != 404 else {
                throw error
            }
            return Self.leading(to: "/setup?error=\(error.code)")
        }
    }

    private static func leading(to address: String) -> Response {
        Response(
            status: 302, fields: ["Location": address, "Cache-Control": "no-store"])
    }

    private func failure(_ failure: SetUpFailure) -> Failure {
        let again = "run `porterctl setup-url` again, and begin anew"
        switch failure {
        case .finished(let installation):
            var failure = Self.setUpDone
            if let installation { failure.details["action"] = .string(installation) }
            return failure
        case .token:
            return Failure(
                401, "setup_token",
                "This token is not good: it was used before, or a newer one was made; \(again).")
        case .tokenExpired:
            return Failure(401, "setup_token_expired", "This token's hour is over; \(again).")
        case .state:
            return Failure(
                403, "setup_state",
                "GitHub did not come back to what was begun here, or came twice; \(again).")
        case .stateExpired:
            return Failure(403, "setup_state_expired", "It took longer than an hour; \(again).")
        case .code(let words):
            return Failure(
                502, "setup_code",
                "GitHub does not take its code any more: \(words). If the App is on GitHub, its keys did not arrive: "
                    + "delete it there; then \(again).", action: "\(work.policy.githubURL)/settings/apps")
        case .github(let words):
            return Failure(
                502, "setup_github", "GitHub did not answer: \(words). Load this page again; nothing is lost."
            )
        case .store(let error): return Failure(error)
        }
    }
}

extension JSON {
    /// The JSON of a value that can be encoded.
    init(encoding value: some Encodable) {
        do {
            self = try JSONDecoder().decode(JSON.self, from: SureJSON.data(value))
        } catch {
            preconditionFailure("JSON of ours that cannot be read: \(error)")
        }
    }
}
