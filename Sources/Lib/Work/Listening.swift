import Porter
import PorterStore

/// Whether workers could be heard: silence means something only while somebody listens.
///
/// A stopped web server, an expired certificate, a full disk or a host that was down for minutes silence every
/// worker at once, and all of them are well. So Porter calls its own callback address as a worker would, and
/// counts a worker's silence from the moment since which that has gone well without a gap.
extension Work {
    /// The mark: its value is the moment since which, its time the last at which it went well.
    private static var listeningMark: String { "callbacks.listening" }
    /// Seconds for which one good call is enough.
    static var listeningInterval: Int { 5 }
    /// Seconds between two good calls after which nobody knows what was between them.
    static var listeningGap: Int { 30 }

    /// Since when workers could be heard without a gap; nil when they cannot be heard now.
    ///
    /// An address that never once answered says nothing (some networks do not let a host call itself by its
    /// public name): then workers count as heard all the time.
    func listeningSince() throws(StoreError) -> Instant? {
        let last = try store.findMark(Self.listeningMark)
        let since = (last?.value).flatMap { Int64($0) }.map(Instant.init(milliseconds:))
        if let last, let since, (0..<Int64(Self.listeningInterval) * 1000).contains(now - last.at) {
            return since
        }
        guard world.hearsItself() else {
            guard last != nil else { return Instant(milliseconds: 0) }
            log(.warning, "workers cannot reach porter", [:])
            return nil
        }
        var begun = now
        if let last, let since, (0...Int64(Self.listeningGap) * 1000).contains(now - last.at) {
            begun = since
        }
        try store.setMark(Self.listeningMark, to: String(begun.milliseconds), at: now)
        return begun
    }
}
