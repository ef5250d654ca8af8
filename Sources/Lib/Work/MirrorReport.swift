package import Porter
package import PorterStore

/// Why a person's settings are not in their gist.
enum MirrorTrouble: String, CaseIterable, Sendable {
    /// GitHub does not take the person's token any more.
    case signIn = "sign_in"
    /// GitHub does not let the App write gists for the person.
    case notAllowed = "not_allowed"
    /// GitHub understood and refused.
    case refused
    /// The file would be longer than ``Work/longestMirror``.
    case tooLarge = "too_large"
    /// GitHub is not there; the job is tried again.
    case unavailable
    /// It was not there for too long.
    case givenUp = "given_up"

    /// What the failure means for the person; nil when it is none of theirs or GitHub's, or nothing is known yet.
    init?(_ error: any Error) {
        switch error {
        case UserTokenFailure.signInAgain: self = .signIn
        case UserTokenFailure.unavailable: self = .unavailable
        case let error as GitHubError:
            switch error.code {
            case .unauthorized: self = .signIn
            // GitHub hides what the App may not do: 403 where it says so, 404 where it does not.
            case .forbidden, .notFound, .gone: self = error.isSuspension ? .signIn : .notAllowed
            case .refused: self = .refused
            case .rateLimited, .unreachable, .uncertain: self = .unavailable
            }
        default: return nil
        }
    }

    /// Whether another try without anybody's doing is of no use.
    var isFinal: Bool { self != .unavailable }

    /// What went wrong and what comes next, for the person.
    var words: String {
        switch self {
        case .signIn:
            "GitHub wants you to sign in again before Porter may write the gist. Sign out and in, then press "
                + "“Save and write now”."
        case .notAllowed:
            "GitHub does not let Porter write gists for you. Its GitHub App needs the account permission “Gists” "
                + "with “Read and write”: ask whoever looks after this Porter, agree to it on GitHub, then press "
                + "“Save and write now”."
        case .refused:
            "GitHub refused the gist. The operator's log has its words; press “Save and write now” to try again."
        case .tooLarge:
            "The settings would make a file of more than \(Work.longestMirror) bytes, which Porter does not send. "
                + "Take some of them back, then press “Save and write now”."
        case .unavailable: "GitHub could not be asked. Porter tries again by itself."
        case .givenUp:
            "GitHub could not be asked for too long, and Porter has stopped trying. Press “Save and write now”."
        }
    }
}

/// How the copy of a person's settings stands, for the person.
package struct MirrorReport: Hashable, Sendable {
    /// The words of the interface.
    package enum State: String, CaseIterable, Sendable {
        case off
        /// A job is on its way, or tries again.
        case waiting
        case written
        case failed
    }

    /// Where it stands.
    package let state: State
    /// When it last changed: written, or tried in vain.
    package let at: Instant?
    /// The gist's page; nil before there is one.
    package let url: String?
    /// What it means and what comes next.
    package let message: String
}

extension Work {
    /// How the person's gist stands under these settings of theirs.
    package func mirrorReport(
        of person: Int64, _ settings: Preferences
    ) throws(StoreError) -> MirrorReport {
        let known = try store.findMirror(person)
        guard settings.flag(Self.mirrorSetting) == true else {
            return MirrorReport(
                state: .off, at: known?.writtenAt, url: known?.url,
                message: known?.url == nil
                    ? "Porter writes no gist."
                    : "Porter does not write the gist any more. It is still there as it was; delete it on GitHub "
                        + "if you do not want it.")
        }
        let trouble = known?.trouble.map { MirrorTrouble(rawValue: $0) ?? .refused }
        if try store.hasJob(.mirror, ofPerson: person) {
            return MirrorReport(
                state: .waiting, at: known?.triedAt, url: known?.url,
                message: trouble == .unavailable
                    ? MirrorTrouble.unavailable.words : "Porter writes the gist in a moment.")
        }
        if let trouble {
            return MirrorReport(state: .failed, at: known?.triedAt, url: known?.url, message: trouble.words)
        }
        guard let known else {
            // Set before Porter could do it, as by a restored backup: the next change writes it.
            return MirrorReport(
                state: .failed, at: nil, url: nil,
                message: "The gist was never written. Press “Save and write now”.")
        }
        return MirrorReport(
            state: .written, at: known.writtenAt, url: known.url,
            message: "The gist says what your settings say. No key is in it.")
    }
}
