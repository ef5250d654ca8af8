/// Wakes threads that wait for work.
package final class Bell: Sendable {
    private let rings = Gate(0)

    /// A bell that nobody has rung.
    package init() {}

    /// Wakes one thread, or the next that comes to wait.
    package func ring(times: Int = 1) {
        rings.add(times, wakesAll: times > 1)
    }

    /// Waits for a ring, at most so long.
    package func wait(milliseconds: Int32) {
        _ = rings.wait(atMost: .milliseconds(Int(milliseconds))) { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }
}
