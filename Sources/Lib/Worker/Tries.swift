import Glibc

/// How often a remote is asked again that gave no answer, or one that need not be its last.
struct Tries {
    /// What a failed command says about another try.
    enum Outlook: Hashable, Sendable {
        /// The network, a gateway or the remote's own trouble: it passes.
        case passing
        /// A refusal that GitHub also gives for a moment, as to a token that not all of its servers know yet.
        case doubtful
        /// The remote has decided.
        case final

        /// What git's words mean; what is not known is no decision of the remote's either.
        ///
        /// - SeeAlso: <https://git-scm.com/docs/git-push#_output>, on `[remote rejected]`.
        init(words: String) {
            // Addresses and names of branches hold any words that somebody liked.
            let own = words.split(whereSeparator: \.isWhitespace).filter {
                !$0.contains("://") && !$0.contains("refs/")
            }
            .joined(separator: " ")
            func says(_ marks: [String]) -> Bool { marks.contains { own.contains($0) } }
            if says([
                "Internal Server Error", "returned error: 5", "returned error: 408", "returned error: 429",
            ]) {
                self = .passing
            } else if says([
                "could not read Username", "could not read Password", "cannot lock ref",
                "failed to update ref",
                "unpacker error", "commit_refs",
            ]) {
                self = .doubtful
            } else if says([
                "rejected]", "couldn't find remote ref", "invalid refspec", "No space left on device",
                "Disk quota exceeded", "does not exist", "fsck error", "SSL certificate problem",
            ]) {
                self = .final
            } else if says([
                "Authentication failed", "not found", "returned error: 3", "returned error: 4",
                "url base from redirection",
                "does not appear to be",
            ]) {
                self = .doubtful
            } else {
                self = .passing
            }
        }
    }

    /// Tries that a doubtful refusal gets, the first among them.
    static let ofDoubtful = 3
    /// Seconds before the second try; twice as long before each further one.
    static let firstPause = 0.5
    /// Seconds between two tries at most.
    static let longestPause = 10.0

    /// Waits for so long, or until its last argument says that it is cancelled.
    typealias Wait = @Sendable (_ pause: Duration, _ isCancelled: () -> Bool) -> Void

    private let wait: Wait
    private var pause = Self.firstPause
    private var refusals = 0

    /// Tries of one step.
    init(wait: @escaping Wait = Self.sleep) {
        self.wait = wait
    }

    /// Waits for the next try.
    ///
    /// - Parameter isCancelled: asked while it waits, and once more at the end.
    /// - Returns: false when there is none: the remote has decided, the time is over, or it was cancelled.
    mutating func next(after outlook: Outlook, within limit: TimeLimit, isCancelled: () -> Bool = { false })
        -> Bool
    {
        if outlook == .doubtful { refusals += 1 }
        guard outlook != .final, refusals < Self.ofDoubtful else { return false }
        let span = Duration.seconds(pause * Double.random(in: 0.75...1.25))
        pause = min(Self.longestPause, pause * 2)
        guard span < limit.left(atLeast: .zero), !isCancelled() else { return false }
        wait(span, isCancelled)
        return !isCancelled()
    }

    /// Really waits; asks twenty times a second whether it is cancelled.
    @Sendable static func sleep(_ pause: Duration, _ isCancelled: () -> Bool) {
        let end = ContinuousClock.now + pause
        while ContinuousClock.now < end, !isCancelled() { usleep(50_000) }
    }
}
