import CLinux
import Foundation
import Porter
import PorterTestWorld
import Synchronization

/// Runs seasons until there were enough kills, and says what it saw.
final class Harness: Sendable {
    /// The descriptor on which a child finds its parent.
    static let lineOfChild: Int32 = 3
    /// When the world begins.
    static let start = Instant(seconds: 1_800_000_000)
    /// Rounds on one database.
    static let rounds = 12
    /// Steps that are armed in one round.
    static let arms = 20

    /// What is asked of a run.
    struct Wish: Sendable {
        var kills = 10_000
        /// Kills a step at least.
        var least = 50
        var seed = UInt64.random(in: 0...UInt64(UInt32.max))
        var threads = 2
        /// Only this season, by its seed.
        var season: UInt64?
        /// The steps that may be armed; empty stands for all.
        var only: [String] = []
        /// Whether everything that happens is said.
        var isTold = false
    }

    private struct State {
        var tally: Tally
        var next = 0
        var rounds = 0
        var mostPasses = 0
        var moments: [String: Int] = [:]
        var findings: [String] = []
        var saidAt = ContinuousClock.now
    }

    private let wish: Wish
    private let state: Mutex<State>
    private let begun = ContinuousClock.now
    private let folder: String

    init(_ wish: Wish) throws {
        self.wish = wish
        state = Mutex(State(tally: Tally(steps: try Moments.inSources().sorted())))
        let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        folder = "\(root)/porter-chaos-\(getpid())"
    }

    static func say(_ words: String) {
        FileHandle.standardOutput.write(Data((words + "\n").utf8))
    }

    /// - Returns: the exit code: 0 when every promise was kept.
    func run() -> Int32 {
        Self.say("seed \(wish.seed)")
        let done = DispatchSemaphore(value: 0)
        let threads = wish.season == nil ? wish.threads : 1
        for _ in 0..<threads {
            let thread = Thread {
                self.work()
                done.signal()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        for _ in 0..<threads { done.wait() }
        try? FileManager.default.removeItem(atPath: folder)
        return report()
    }

    private func work() {
        while let (seed, steps) = nextSeason() {
            let place = "\(folder)/\(seed)"
            defer { try? FileManager.default.removeItem(atPath: place) }
            do {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
                try play(seed, steps, place)
            } catch {
                fail("season \(seed): \(error)")
            }
            if wish.season != nil { return }
        }
    }

    private func nextSeason() -> (seed: UInt64, steps: [String])? {
        state.withLock { state in
            guard state.findings.isEmpty else { return nil }
            let all = wish.only.isEmpty ? state.tally.steps : wish.only
            if let season = wish.season { return (season, all) }
            let lacking = state.tally.lacking(wish.least)
            let isEnough = state.tally.total >= wish.kills
            if isEnough, lacking.isEmpty { return nil }
            // Rare steps are given as much time again; then their lack is a finding.
            if isEnough, state.tally.total > wish.kills * 2 { return nil }
            var chance = Chance(seed: wish.seed &+ UInt64(state.next) &* 0x9E37_79B9)
            state.next += 1
            return (chance.next() >> 16, isEnough ? lacking : all)
        }
    }

    private func play(_ seed: UInt64, _ steps: [String], _ place: String) throws {
        let season = try Season(
            seed: seed, steps: state.withLock { $0.tally.steps }, folder: place, isTold: wish.isTold)
        for round in 1...Self.rounds {
            let arms = (0..<Self.arms).map { _ in steps[season.draw { $0.below(steps.count) }] }
            var findings = try season.round(arming: arms)
            if round == Self.rounds { findings += try season.judge.checkFile() }
            guard !findings.isEmpty else { continue }
            let only =
                steps.count == season.tally.steps.count ? "" : " --only " + steps.joined(separator: ",")
            note(["season \(seed), round \(round): again with --season \(seed)\(only)"] + findings)
            break
        }
        finish(season)
    }

    private func note(_ findings: [String]) {
        state.withLock { $0.findings += findings }
    }

    private func finish(_ season: Season) {
        let words = state.withLock { state -> String? in
            state.tally.add(season.tally)
            state.rounds += Self.rounds
            state.mostPasses = max(state.mostPasses, season.judge.mostPassesSeen)
            state.moments.merge(season.judge.moments, uniquingKeysWith: +)
            guard ContinuousClock.now - state.saidAt > .seconds(15) else { return nil }
            state.saidAt = .now
            return "\(state.tally.total) kills in \(seconds) s, \(state.rounds) rounds"
        }
        if let words { Self.say(words) }
    }

    private var seconds: Int64 { (ContinuousClock.now - begun).components.seconds }

    private func report() -> Int32 {
        let state = state.withLock { $0 }
        let tally = state.tally
        for step in tally.steps {
            let kills = tally.kills[step, default: 0]
            Self.say("  \(step): \(kills) kills, came \(state.moments[step, default: 0]) times")
        }
        let atSteps = tally.total - tally.elsewhere
        Self.say(
            "\(tally.total) kills (\(atSteps) at \(tally.steps.count) named steps, \(tally.elsewhere) in the "
                + "middle of calls) in \(state.rounds) rounds and \(seconds) s, seed \(wish.seed); everything "
                + "published within \(state.mostPasses) passes")
        var findings = state.findings
        if wish.season == nil {
            findings += tally.lacking(wish.least).map { "too few kills at \($0)" }
            findings += state.moments.keys.filter { !tally.steps.contains($0) }.sorted()
                .map { "the sources do not name \($0) where this test looks" }
        }
        guard !findings.isEmpty else { return 0 }
        for finding in findings { Self.say("BROKEN: \(finding)") }
        return 1
    }
}
