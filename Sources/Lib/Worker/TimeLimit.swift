import Porter

/// How long a part of the run may take: `limits` of the claim (`public/openapi.json`).
struct TimeLimit: Sendable {
    private let what: String
    private let seconds: Int
    private let end: ContinuousClock.Instant

    /// A limit that begins now.
    ///
    /// - Parameter what: names the part at the beginning of a sentence.
    init(_ what: String, seconds: Int) {
        self.what = what
        self.seconds = seconds
        end = .now + .seconds(seconds)
    }

    /// What is left of it, never negative.
    ///
    /// - Throws: ``failure`` when nothing is.
    func left() throws(WorkerFailure) -> Duration {
        let rest = end - .now
        guard rest > .zero else { throw failure }
        return rest
    }

    /// What is left of it, but never less than so much: for a last step that is worth waiting for.
    func left(atLeast least: Duration) -> Duration { max(least, end - .now) }

    /// The part took longer than it may.
    var failure: WorkerFailure {
        WorkerFailure(.timeout, "\(what) took longer than \(seconds) seconds.")
    }
}
