import Porter
import PorterStore
import PorterTestWorld

/// Some rounds on one database: some processes of Porter, the outside, people and workers, and one seed that
/// decides everything that happens.
///
/// The parent is the scheduler: every call and every named moment of a child waits for it, so that it can hold
/// a child in the middle of an effect while another goes on, and kill it exactly there.
final class Season {
    /// Stormy rounds of a thousand in which somebody sets the clock.
    private static let jumps = 250

    let seed: UInt64
    let outside = Outside()
    let judge: Judge
    private(set) var tally: Tally
    private(set) var chance: Chance
    /// Two responders, and a watchdog or three.
    private var hands: [Hand] = []
    /// The steps at which the next child to come there dies.
    private var traps: Set<String> = []
    /// Whether the bad days are over.
    private(set) var isCalm = false
    lazy var workers = Workers(self)
    lazy var people = People(self)
    private var seeds: Chance
    /// Whether everything that happens is said as it happens.
    private let isTold: Bool

    init(seed: UInt64, steps: [String], folder: String, isTold: Bool) throws {
        self.seed = seed
        self.isTold = isTold
        chance = Chance(seed: seed)
        seeds = Chance(seed: ~seed)
        tally = Tally(steps: steps)
        let database = folder + "/porter.sqlite"
        judge = try Judge(database)
        // Sometimes there is room for few at once, so that tasks wait.
        let caps = chance.permille(300) ? [2, 3] : [20, 20]
        let watchdogs = chance.permille(300) ? ["watchdog 1", "watchdog 2", "watchdog 3"] : ["watchdog"]
        hands = (["responder 1", "responder 2"] + watchdogs).map {
            Hand(name: $0, arguments: [database, String(caps[0]), String(caps[1])])
        }
        judge.waitsForPlace = caps[1] < 20
        for hand in hands { start(hand) }
    }

    deinit {
        for hand in hands { hand.kill() }
    }

    func draw<Result>(_ body: (inout Chance) -> Result) -> Result { body(&chance) }

    func tell(_ words: @autoclosure () -> String) {
        if isTold { Harness.say("\(outside.real.iso8601) \(words())") }
    }

    private func start(_ hand: Hand) {
        hand.start(seed: seeds.next(), at: outside.now)
    }

    /// A process that has nothing to do and can answer a request; nil when both are busy.
    var freeResponder: Hand? {
        let free = hands.prefix(2).filter(\.isIdle)
        return free.isEmpty ? nil : free[chance.below(free.count)]
    }

    /// One round: people ask, much goes wrong, some are killed; then all settles and is judged.
    ///
    /// - Parameter arms: steps at which somebody is to die this time.
    /// - Returns: what is wrong; empty when every promise was kept.
    func round(arming arms: [String]) throws -> [String] {
        traps = Set(arms)
        tell("a round begins")
        isCalm = false
        let isStormy = chance.permille(600)
        let jumps = isStormy && chance.permille(Self.jumps)
        outside.troubles = isStormy ? 10 + chance.below(60) : 0
        outside.allowsLate = !jumps
        let isLogReadable = !chance.permille(200)
        outside.github.change { $0.isLogReadable = isLogReadable }
        judge.needsSweep = !isLogReadable
        people.gather()
        var length = 250 + chance.below(350)
        while length > 0 {
            length -= 1
            try act(jumps: jumps)
        }
        return try settle()
    }

    private func act(jumps: Bool) throws {
        switch chance.below(1000) {
        case 0..<700: advance(hands[chance.below(hands.count)])
        case 700..<840: workers.act()
        case 840..<900: people.deliver()
        case 900..<984: outside.pass(seconds: chance.below(chance.permille(100) ? 90 : 8))
        case 984..<992: people.act()
        case 992..<994 where jumps: jump()
        case 994..<996: cut()
        case 996..<998:
            // Mostly moments, for the sake of speed; now and then as long as a slow disk takes.
            judge.lockDatabase(milliseconds: chance.permille(2) ? 4000 : 5 + chance.below(60))
        default: break
        }
    }

    /// Days and years, forwards and back.
    private func jump() {
        let spans = [86_400, 31_536_000, -86_400, -31_536_000, 3_000, -3_000]
        let error = Int(outside.error / 1000)
        // Nobody sets a clock twice within a moment.
        outside.pass(seconds: 2)
        // Somebody sets it right again now and then.
        tell("the clock is turned")
        outside.turnClock(
            seconds: error != 0 && chance.permille(500) ? -error : spans[chance.below(spans.count)])
    }

    /// Kills somebody in the middle of whatever he waits for.
    private func cut() {
        let hand = hands[chance.below(hands.count)]
        if case .call(let name, let arguments)? = hand.flight?.waiting {
            // Half of them after the effect, whose answer nobody gets.
            if chance.permille(500) { _ = outside.answer(name, arguments, &chance) }
        }
        tell("\(hand.name) is killed")
        tally.countElsewhere()
        hand.cut()
        start(hand)
    }

    /// Lets a process come as far as its next call, moment or end; gives it something to do if it has nothing.
    private func advance(_ hand: Hand) {
        guard !hand.isIdle else {
            let isWatchdog = hands.dropFirst(2).contains { $0 === hand }
            let order: Order =
                isWatchdog && chance.permille(80) ? .pass : chance.permille(30) ? .rescue : .turn
            tell("\(hand.name): \(order)")
            hand.give(order, at: outside.now)
            return
        }
        move(hand)
    }

    /// The end of what can be read in a call's arguments, which is where markers and names are.
    private static func readable(_ arguments: [UInt8]) -> String {
        let words = arguments.map { 32..<127 ~= $0 ? Character(UnicodeScalar($0)) : " " }
        return String(String(words).split(separator: " ").joined(separator: " ").suffix(60))
    }

    /// Serves what the process waits for.
    private func move(_ hand: Hand) {
        guard let flight = hand.flight else { return }
        switch flight.waiting {
        case .call(let name, let arguments):
            let answer = outside.answer(name, arguments, &chance)
            tell(
                "\(hand.name) calls \(name) \(Self.readable(arguments)): "
                    + (outside.lastTrouble.map { "\($0)" } ?? (answer.first == 1 ? "well" : "badly")))
            hand.answer(answer, at: outside.now)
        case .moment(let moment):
            let step = Tally.step(moment)
            judge.noteMoment(step)
            let dies = traps.remove(step) != nil
            tell("\(hand.name) at \(moment)\(dies ? ", and dies" : "")")
            hand.answer(mayLive: !dies, at: outside.now)
            guard dies else { return }
            tally.count(step)
            hand.finish()
            start(hand)
        case .wait(let until):
            let left = until - outside.now.porter
            // Whoever has set the clock does not make anybody wait for a year.
            if isCalm, left > 0 { outside.pass(seconds: Int(min(left, 15_000) + 999) / 1000) }
            guard isCalm || left <= 0 || left > 15_000 else { return }
            tell("\(hand.name) has waited")
            hand.answerWait(at: outside.now)
        case .done:
            hand.finish()
        case .died:
            judge.note("\(hand.name) died by itself")
            hand.finish()
            start(hand)
        }
    }

    /// Does an order from its beginning to its end, undisturbed.
    func carryOut(
        _ order: Order, by index: Int = 0, _ arguments: Writer = Writer(),
        whenDone: @escaping (inout Reader) -> Void = { _ in }
    ) {
        let hand = hands[index]
        tell("\(hand.name): \(order), in peace")
        hand.give(order, at: outside.now, arguments, whenDone: whenDone)
        while !hand.isIdle { move(hand) }
    }

    /// The bad days are over: all settles, and is judged from outside.
    private func settle() throws -> [String] {
        outside.troubles = 0
        traps = []
        isCalm = true
        for hand in hands { while !hand.isIdle { move(hand) } }
        outside.turnClock(seconds: -Int(outside.error / 1000))
        outside.pass(seconds: 30)
        people.deliverAll()
        workers.finishAll()
        // Longer than whatever was put off.
        outside.pass(seconds: 7_200)
        var passes = 0
        var isQuiet = false
        while !isQuiet, passes < Judge.mostPasses {
            passes += 1
            carryOut(.pass, by: 2)
            workers.finishAll()
            outside.pass(seconds: 30)
            isQuiet = try judge.isQuiet(people.asked, after: passes, at: outside.real)
        }
        let findings = try judge.verdict(
            asked: people.asked, answers: people.answers, outside, pushed: workers.pushed, passes: passes)
        people.forget()
        return findings
    }
}
