/// Why somebody is not let in: the code of `/?error=CODE`, its sentence and its next step.
package enum SignInFailure: String, Error, CaseIterable, Sendable {
    case notSetUp = "not_set_up"
    case keysClosed = "keys_closed"
    case accessDenied = "access_denied"
    case stateInvalid = "state_invalid"
    case stateUsed = "state_used"
    case stateExpired = "state_expired"
    case codeRefused = "code_refused"
    case misconfigured
    case unverifiedEmail = "unverified_email"
    case notInstalled = "not_installed"
    case installationRequested = "installation_requested"
    case notAllowed = "not_allowed"
    case singleSignOn = "sso_required"
    case unreachable = "github_unreachable"
    case suspended
    case addressRefused = "ip_not_allowed"
    case returnInvalid = "return_invalid"
    case unavailable

    /// What happened and what to do, for the person.
    package var sentence: String {
        switch self {
        case .notSetUp: "Porter has no GitHub App yet. Whoever runs it finishes the set-up first."
        case .keysClosed:
            "Porter cannot open the keys of its GitHub App. Whoever runs it finds out why with `porterctl check`."
        case .accessDenied:
            "You did not let the App act for you on GitHub, so nobody is signed in. Try again."
        case .stateInvalid: "That answer belongs to no sign-in of this browser. Sign in again from here."
        case .stateUsed: "That sign-in was finished before. Sign in again if you are not signed in."
        case .stateExpired: "The sign-in took longer than ten minutes. Sign in again."
        case .codeRefused: "GitHub did not accept its own code any more. Sign in again."
        case .misconfigured:
            "GitHub does not accept this Porter's client id, client secret or callback address. Whoever runs "
                + "Porter compares them with the App's settings on GitHub."
        case .unverifiedEmail:
            "GitHub wants you to verify your e-mail address first. Do that, then sign in again."
        case .notInstalled:
            "The App is not installed on any repository that you can see. Install it, or ask an owner to, then "
                + "sign in again."
        case .installationRequested:
            "You asked for the installation, and an owner of the organisation has yet to approve it. Sign in "
                + "again once that is done."
        case .notAllowed:
            "This Porter is for other people: its operator lists who may use it. Ask them to add you."
        case .singleSignOn:
            "Your organisation wants you to pass its single sign-on first. Do that on its page, then sign in again."
        case .unreachable: "GitHub did not answer. Nothing is lost; try again in a minute."
        case .suspended:
            "GitHub has suspended the App, its installation or your account. An owner can lift that on GitHub."
        case .addressRefused:
            "Your organisation lets only listed addresses in, and Porter's is not on the list. An owner of the "
                + "organisation adds it."
        case .returnInvalid:
            "The address to come back to is not one of this Porter's pages. Sign in from here."
        case .unavailable: "Porter cannot use its database now. Try again in a moment."
        }
    }
}
