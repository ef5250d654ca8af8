import Porter
import PorterStore

/// Whether workers could be heard: silence means something only while somebody listens.
///
/// A stopped web server, an expired certificate, a full disk or a host that was down for minutes silence every
/// worker at once, and all of them are well. So Porter calls its own callback address as a worker would, and
/// counts a worker's silence from the moment since which that has gone well without a gap.
///
/// Where the watchdog works alone, it looks only every half minute or so, and a gap may be an outage that it
/// did not see. One may be; so then a worker counts as silent when it said nothing between two looks twice
/// running.
struct Listening: Equatable {
    /// Since when workers could be heard, as far as anybody looked.
    var since: Instant
    /// A worker must have been silent since before this look as well; nil while looks are close together.
    var lookBefore: Instant?
    /// The look before the last one, whatever the gaps.
    fileprivate var previous: Instant?

    fileprivate init(since: Instant, lookBefore: Instant? = nil, previous: Instant? = nil) {
        self.since = since
        self.lookBefore = lookBefore
        self.previous = previous
    }

    /// What the mark holds; nil when nobody could be heard at the last look.
    fileprivate init?(_ mark: String) {
        let parts = mark.split(separator: " ").map { Int64($0).map(Instant.init(milliseconds:)) }
        guard let first = parts.first, let since = first else { return nil }
        func part(_ index: Int) -> Instant? {
            parts.indices.contains(index) ? parts[index].flatMap { $0.milliseconds == 0 ? nil : $0 } : nil
        }
        self.init(since: since, lookBefore: part(1), previous: part(2))
    }

    fileprivate var mark: String {
        [since, lookBefore, previous].map { String($0?.milliseconds ?? 0) }.joined(separator: " ")
    }

    /// Whether a worker that was last heard at the moment has been silent for so many seconds.
    func isSilent(since heard: Instant, seconds: Int, at now: Instant) -> Bool {
        if let lookBefore, heard >= lookBefore { return false }
        return now >= max(heard, since).adding(seconds: seconds)
    }
}

extension Work {
    /// The mark: its value is what is known, its time the last look.
    private static var listeningMark: String { "callbacks.listening" }
    /// Seconds for which one good call is enough.
    static var listeningInterval: Int { 5 }
    /// Seconds between two good calls in which no outage is missed that would silence a worker for long.
    static var listeningGap: Int { 30 }
    /// Seconds between two good calls after which nobody knows what was between them: the watchdog's timer,
    /// and a pass that takes its whole time.
    static var listeningPause: Int { 30 + passLimit }

    /// Since when workers could be heard without a gap; nil when they cannot be heard now.
    ///
    /// An address that never once answered says nothing (some networks do not let a host call itself by its
    /// public name): then workers count as heard all the time.
    func listening() throws(StoreError) -> Listening? {
        let last = try store.findMark(Self.listeningMark)
        let known = last.flatMap { Listening($0.value) }
        if let last, let known, (0..<Int64(Self.listeningInterval) * 1000).contains(now - last.at) {
            return known
        }
        guard world.hearsItself() else {
            guard last != nil else { return Listening(since: Instant(milliseconds: 0)) }
            if known != nil { try store.setMark(Self.listeningMark, to: "", at: now) }
            log(.warning, "workers cannot reach porter", [:])
            return nil
        }
        var fresh = Listening(since: now)
        if let last, let known, last.at <= now {
            switch now - last.at {
            case ...(Int64(Self.listeningGap) * 1000):
                fresh = Listening(since: known.since, previous: last.at)
            case ...(Int64(Self.listeningPause) * 1000):
                fresh = Listening(
                    since: known.previous == nil ? now : known.since, lookBefore: known.previous,
                    previous: last.at)
            default: break
            }
        }
        try store.setMark(Self.listeningMark, to: fresh.mark, at: now)
        return fresh
    }
}
