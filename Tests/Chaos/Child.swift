import CLinux
import Foundation
import Porter
import PorterAgents
import PorterStore
import PorterTestWorld
import PorterWork
import Synchronization

/// The time that the parent last told.
final class SharedClock: Sendable {
    private let time = Mutex(Moment(porter: Instant(seconds: 0), uptime: 0))

    var now: Instant { time.withLock { $0.porter } }
    var uptime: Int64 { time.withLock { $0.uptime } }

    func set(_ moment: Moment) {
        time.withLock { $0 = moment }
    }
}

/// Ends this process as a power cut would: nothing is said, flushed or closed.
func die() -> Never {
    kill(getpid(), SIGKILL)
    while true { pause() }
}

/// Ends this process because its parent has no more use for it.
func leave() -> Never {
    _exit(0)
}

/// The process that is killed: Porter's real rules over the real database, the outside at the other end of a
/// line.
struct Child {
    let line: Line
    let time = SharedClock()
    let work: Work

    /// Opens the database and waits for orders on descriptor 3.
    init(database: String, caps: Caps, seed: UInt64, start: Moment) {
        line = Line(descriptor: Harness.lineOfChild)
        time.set(start)
        let time = time
        let remote = Remote(line: line, time: time)
        let chance = Mutex(Chance(seed: seed))
        let store: Database
        do throws(StoreError) {
            store = try Database(path: database)
            _ = try store.madeAt(start.porter)
        } catch {
            FileHandle.standardError.write(Data("child: \(error)\n".utf8))
            _exit(69)
        }
        var policy = Policy(
            callbackURL: "https://porter.example", mention: "porter", owners: nil, allowedLogins: nil,
            engine: Policy.Engine(
                name: "local", isConfigured: true, image: "local", region: nil, cpus: 1, memory: 2048),
            caps: caps, limits: Policy.Limits(), teamKeys: [:], retentionDays: 90, logLimit: 1_048_576)
        policy.isPolling = false
        var surroundings = Surroundings(
            store: store, github: remote.github, machines: remote.machines,
            catalog: .standard(demo: "/opt/demo"), clock: Clock(now: { time.now }, uptime: { time.uptime }),
            entropy: Entropy { count in
                chance.withLock { chance in (0..<count).map { _ in UInt8(chance.below(256)) } }
            }, sealer: World.sealer, digest: World.digest, journal: .silent, hearsItself: { true },
            moment: { remote.pass($0) }, pause: { remote.wait(milliseconds: $0) })
        surroundings.app = .fixed(
            AppCredentials(
                id: "55", privateKey: Secret("key"), clientID: "client", clientSecret: Secret("secret"),
                webhookSecret: Secret("webhook")))
        work = Work(surroundings, policy)
    }

    /// Obeys until the line is cut.
    func run() -> Never {
        while let message = line.receive() {
            var reader = Reader(message)
            let order = reader.get(Order.self)
            time.set(reader.get())
            var answer = Writer()
            answer.put(byte: Word.done.rawValue)
            obey(order, &reader, &answer)
            line.send(answer.bytes)
        }
        leave()
    }

    private func obey(_ order: Order, _ reader: inout Reader, _ answer: inout Writer) {
        do {
            switch order {
            case .turn:
                switch try work.turn() {
                case .idle: answer.put("idle")
                case .worked, .settles: answer.put("worked")
                case .gaveUp: answer.put("gave up")
                }
            case .pass:
                let report = try work.pass()
                answer.put("worked", report.jobs, report.destroyed)
            case .rescue:
                try work.world.store.releaseDeadHolders()
                answer.put("worked")
            case .deliver:
                let guid = reader.get(String.self)
                let action = reader.get(String?.self)
                let event = reader.get(WebhookEvent.self)
                let result = try work.accept(
                    Delivery(guid: guid, event: "any", action: action, digest: [1]), event)
                switch result {
                case .accepted(let task): answer.put("accepted", task?.rawValue)
                case .duplicate(let task): answer.put("duplicate", task?.rawValue)
                case .ignored: answer.put("ignored", String?.none)
                }
            case .claim:
                let body = try work.claim(token: reader.get(), nonce: reader.get())
                let fields = try JSONSerialization.jsonObject(with: body) as? [String: Any]
                answer.put("worked", (fields?["callback_token"] as? String).map { Secret($0) })
            case .progress:
                let going = try work.progress(token: reader.get(), Progress(phase: reader.get()))
                answer.put(going.goesOn ? "go on" : "stop", going.reason)
            case .credential:
                _ = try work.credential(token: reader.get())
                answer.put("worked")
            case .complete:
                try work.complete(token: reader.get(), named: reader.get(), reader.get())
                answer.put("worked")
            }
        } catch let error as CallbackFailure {
            answer.put("refused", error.status)
        } catch {
            answer.put("failed", "\(error)")
        }
    }
}
