import Synchronization

/// What this process has answered since it began; counting costs no lock.
final class Counters: Sendable {
    /// What a delivery came to.
    enum Delivery: String, CaseIterable {
        case accepted
        case duplicate
        case ignored
    }

    private let accepted = Atomic(0)
    private let duplicate = Atomic(0)
    private let ignored = Atomic(0)
    private let good = Atomic(0)
    private let refused = Atomic(0)
    private let failed = Atomic(0)

    /// Counts an answer by the class of its status.
    func count(status: Int) {
        switch status {
        case ..<400: good.add(1, ordering: .relaxed)
        case ..<500: refused.add(1, ordering: .relaxed)
        default: failed.add(1, ordering: .relaxed)
        }
    }

    /// Counts a delivery.
    func count(_ delivery: Delivery) {
        switch delivery {
        case .accepted: accepted.add(1, ordering: .relaxed)
        case .duplicate: duplicate.add(1, ordering: .relaxed)
        case .ignored: ignored.add(1, ordering: .relaxed)
        }
    }

    /// Answers by class: `2xx` (redirects included), `4xx`, `5xx`.
    var answers: [(statuses: String, count: Int)] {
        [
            ("2xx", good.load(ordering: .relaxed)), ("4xx", refused.load(ordering: .relaxed)),
            ("5xx", failed.load(ordering: .relaxed)),
        ]
    }

    /// Deliveries by what they came to.
    func deliveries(_ delivery: Delivery) -> Int {
        switch delivery {
        case .accepted: accepted.load(ordering: .relaxed)
        case .duplicate: duplicate.load(ordering: .relaxed)
        case .ignored: ignored.load(ordering: .relaxed)
        }
    }
}
