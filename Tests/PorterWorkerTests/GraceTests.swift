import PorterHTTP
import PorterSettings
import Testing

@testable import PorterWorker

/// `PORTER_GRACE` beside what it waits for.
@Suite struct GraceTests {
    @Test func `the shortest grace outlasts a heartbeat whose call hangs`() throws {
        let setting = try #require(Setting.all.first { $0.name == "PORTER_GRACE" })
        guard case .number(let range) = setting.kind else {
            Issue.record("PORTER_GRACE is no number")
            return
        }

        let heartbeat = Duration.milliseconds(Int(Pulse.interval))
        #expect(.seconds(range.lowerBound) >= heartbeat + Transport.Limits().total)
    }
}
