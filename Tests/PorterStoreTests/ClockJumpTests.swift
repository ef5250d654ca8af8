import Porter
import PorterStore
import Testing

/// What is measured by the clock follows it when it is set.
@Suite struct ClockJumpTests {
    private let store: Store
    private let now = Instant(seconds: 1_800_000_000)

    init() throws {
        store = try Store()
    }

    private func clock(after seconds: Int, aheadBy error: Int) -> Clock {
        let moment = now.adding(seconds: seconds + error)
        return Clock(now: { moment }, uptime: { 1_000_000 + Int64(seconds) * 1000 })
    }

    @Test(arguments: [86_400, -86_400])
    func `a jump there and back that a process slept through leaves nothing behind`(error: Int) throws {
        let (awake, asleep) = (store.database, try store.another())
        _ = awake.follow(clock(after: 0, aheadBy: 0))
        _ = asleep.follow(clock(after: 0, aheadBy: 0))
        #expect(awake.follow(clock(after: 10, aheadBy: error)).jump == Int64(error) * 1000)

        let back = asleep.follow(clock(after: 20, aheadBy: 0))
        try asleep.ensureRecovery(at: back.now)

        #expect(back.jump == -Int64(error) * 1000)
        #expect(awake.follow(clock(after: 30, aheadBy: 0)).jump == nil)
        #expect(try awake.claimJob(at: now.adding(seconds: 30)) != nil)
    }

    @Test func `processes that see the clock a little differently leave it alone`() throws {
        let other = try store.another()
        for second in 0..<5 {
            #expect(store.database.follow(clock(after: second * 2, aheadBy: 0)).jump == nil)
            #expect(other.follow(clock(after: second * 2, aheadBy: 1)).jump == nil)
        }
    }
}
