import Foundation
import PorterTestWorld

/// How often Porter was killed at each named step of its outward effects.
struct Tally {
    /// Every step that the sources name.
    let steps: [String]
    private(set) var kills: [String: Int] = [:]
    /// Kills in the middle of a call, wherever that was.
    private(set) var elsewhere = 0

    init(steps: [String]) {
        self.steps = steps
    }

    var total: Int { kills.values.reduce(elsewhere, +) }

    /// The steps with fewer kills than that.
    func lacking(_ least: Int) -> [String] {
        steps.filter { kills[$0, default: 0] < least }
    }

    mutating func count(_ step: String) {
        kills[step, default: 0] += 1
    }

    mutating func countElsewhere() {
        elsewhere += 1
    }

    mutating func add(_ other: Tally) {
        kills.merge(other.kills, uniquingKeysWith: +)
        elsewhere += other.elsewhere
    }

    /// The step of a moment: attempts have the numbers 1 to 3, and are one step.
    static func step(_ moment: String) -> String {
        moment.replacing(/\.[123]\./, with: ".1.")
    }
}
