import Porter
import PorterHTTP
import PorterStore
import PorterWork

/// A signed-in person, as a request's cookie shows it.
struct Visitor: Sendable {
    /// GitHub's id.
    let id: Int64
    /// The login as it was at the last sign-in.
    let login: String
    /// Whether the person administers this Porter.
    let isAdmin: Bool
    /// The session that the cookie opens.
    let session: SessionID
    /// When GitHub last said which repositories the person sees; nil before it did.
    var rightsAt: Instant?

    /// The person behind it.
    var person: Person { Person(id: id, login: login) }
}

extension Exchange {
    /// The signed-in person.
    ///
    /// - Throws: 401 when there is none; behind ``Door/person`` and ``Door/admin`` there always is.
    var person: Visitor {
        get throws(Failure) {
            guard let visitor else { throw .signedOut }
            return visitor
        }
    }

    /// A line for the record of changes, in the visitor's name.
    func entry(
        _ action: String, _ subject: String, detail: String? = nil, at now: Instant
    ) throws(Failure) -> AuditEntry {
        let person = try person
        return AuditEntry(
            at: now, actorID: person.id, actorLogin: person.login, action: action, subject: subject,
            detail: detail, address: request.peer)
    }
}

extension Failure {
    /// Nobody is signed in, or the session is over.
    static let signedOut = Failure(401, "unauthorized", "Sign in with GitHub.", action: "/api/auth/github")

    /// GitHub did not renew the person's token; a new sign-in brings another, and nothing else is lost.
    static let signInAgain = Failure(
        401, "sign_in_again", "GitHub wants you to sign in again; everything else is as you left it.",
        action: "/api/auth/github")

    /// The operator's list of who may use this Porter does not name the person any more.
    static let notAllowed = Failure(403, "not_allowed", SignInFailure.notAllowed.sentence)

    /// The person is no admin.
    static let notAdmin = Failure(403, "forbidden", "Only admins of this Porter may do that.")

    /// A page was made for one person, and another is signed in in its browser now.
    static let otherPerson = Failure(
        409, "other_person",
        "Somebody else is signed in in this browser now. Load the page again to go on as them.")

    /// A request that changes something and does not say that it comes from our own pages.
    static let foreignOrigin = Failure(
        403, "origin", "The header Origin must be this Porter's own address.")
}

extension Site {
    /// The cookie that holds a session; the prefix makes browsers keep it to this host, this path and TLS.
    ///
    /// - SeeAlso: <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes>
    static var sessionCookie: String { "__Host-porter_session" }

    /// Who the request's cookie says is asking.
    ///
    /// - Parameter isLeaving: whether the session is enough, because all that they want is to end it.
    /// - Throws: 401 when it opens no session.
    func visitor(_ request: Request, isLeaving: Bool = false) throws(Failure) -> Visitor {
        guard let value = Cookies(request)[Self.sessionCookie], !value.isEmpty else { throw .signedOut }
        let now = clock.now()
        let store = work.world.store
        let found = try reading { () throws(StoreError) in
            try store.findSession(digest: work.world.digest(Secret(value)), at: now)
        }
        guard let found else { throw .signedOut }
        let session = found.session
        if isLeaving {
            return Visitor(
                id: session.person.id, login: session.person.login, isAdmin: false, session: session.id,
                rightsAt: found.rightsAt)
        }
        if found.mustSignInAgain { throw .signInAgain }
        let isAllowed = try reading { () throws(StoreError) in try work.isAllowed(session.person) }
        guard isAllowed else { throw .notAllowed }
        return try reading { () throws(StoreError) in
            if now >= session.usedAt.adding(seconds: Session.noteInterval) {
                try store.noteUse(of: session.id, at: now)
            }
            if work.age(ofRightsFrom: found.rightsAt) != .fresh {
                try work.wishForRights(of: session.person.id)
            }
            return Visitor(
                id: session.person.id, login: session.person.login,
                isAdmin: try work.isAdmin(session.person), session: session.id, rightsAt: found.rightsAt)
        }
    }

    /// The header in which a page names the person, by id, for whom it was made.
    static var personHeader: String { "X-Porter-Person" }

    /// Refuses what a page asks that was made for somebody else.
    func checkPerson(_ request: Request, _ visitor: Visitor) throws(Failure) {
        guard let meant = request.fields[Self.personHeader], meant != String(visitor.id) else { return }
        throw .otherPerson
    }

    /// Refuses a request that changes something, unless one of our own pages sent it.
    ///
    /// Browsers send `Origin` with every such request, and no page can forge it.
    ///
    /// - SeeAlso: <https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html>
    func checkOrigin(_ request: Request) throws(Failure) {
        guard ["POST", "PUT", "PATCH", "DELETE"].contains(request.method) else { return }
        guard let origin = request.fields["Origin"], origin == Self.origin(of: work.policy.publicURL) else {
            throw .foreignOrigin
        }
    }

    /// An address as browsers write it in `Origin`: lower case, without the scheme's own port.
    static func origin(of url: String) -> String {
        let url = url.lowercased()
        for (scheme, port) in [("https://", ":443"), ("http://", ":80")]
        where url.hasPrefix(scheme) && url.hasSuffix(port) {
            return String(url.dropLast(port.utf8.count))
        }
        return url
    }
}
