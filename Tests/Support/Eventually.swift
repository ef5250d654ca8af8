import Glibc

/// Waits until the condition holds, for tests that watch another thread or program.
///
/// It is asked every few milliseconds; how long that takes decides nothing but when a wrong program is given up.
///
/// - Returns: false when the time was over first.
package func eventually(within seconds: Double = 60, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
        if try condition() { return true }
        guard ContinuousClock.now < deadline else { return false }
        poll(nil, 0, 5)
    }
}
