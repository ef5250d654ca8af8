import Foundation
package import Porter
import PorterAgents
package import PorterStore
package import PorterWork
import Synchronization

/// A whole outside world in memory around the real rules and a real database: GitHub, an engine, workers, a
/// clock that only the test moves.
///
/// ``settle()`` works jobs until none is due; ``live(seconds:)`` lets time pass and the workers act. Every
/// call to GitHub and the engine is in a journal, and ``Faults`` makes any of them fail.
package final class World: Sendable {
    /// The issue on which commands are written unless a test says otherwise.
    package static let issue = 7
    /// Turns after which a queue that never empties counts as a defect.
    private static let mostTurns = 2000

    package let github = WorldGitHub()
    package let users = WorldUsers()
    package let engine = WorldEngine()
    package let crew = WorldCrew()
    package let administration = WorldAdministration()
    private let ownEngine = Mutex(false)
    private let engines = Mutex<Set<String>>([])
    /// Which Fly engines were asked for something: the scope, and the app if one was named.
    package var askedEngines: Set<String> { engines.withLock { $0 } }
    /// Watches for this world's secrets alone.
    package let redactor = Redactor()
    package let folder: String
    package let time = WorldClock()
    private let live: Mutex<Live>
    private let trap = Mutex<String?>(nil)
    private let seenMoments = Mutex<[String]>([])
    private let serial = Mutex(UInt64(0))
    private let listens = Mutex(true)
    private let hearsItself = Mutex(true)
    private let isFromEnvironment = Mutex(true)

    /// What deliveries are signed with, while the environment gives the App.
    package static let webhookSecret = "webhook-canary-secret"

    private struct Live {
        var store: Database
        var policy: Policy
    }

    /// A world with one repository, one open issue, and people whose logins say what they may do:
    /// `maria` (1) and `wim` (2) can push, `rita` (3) can only read.
    package init(change: (inout Policy) -> Void = { _ in }) throws {
        folder = Self.home + "/" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var policy = Policy(
            callbackURL: "https://porter.example", mention: "porter",
            owners: nil, allowedLogins: nil,
            engine: Policy.Engine(
                name: "local", isConfigured: true, image: "local", region: nil, cpus: 1, memory: 2048),
            caps: Caps(perPerson: 5, total: 20), limits: Policy.Limits(), teamKeys: [:],
            retentionDays: 90, logLimit: 1_048_576)
        policy.publicURL = "https://porter.example"
        policy.githubURL = "https://github.example"
        change(&policy)
        live = Mutex(Live(store: try Database(path: folder + "/porter.sqlite"), policy: policy))
        let time = time
        github.now = { time.real }
        users.now = { time.now }
        _ = try store.madeAt(time.now)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static let homes = "porter-worlds-"

    /// Where this process has its worlds, until it ends: one whose thread stands still for ever has no end itself.
    ///
    /// What processes left that were killed goes, too.
    private static let home: String = {
        let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: root)) ?? [] where name.hasPrefix(homes) {
            guard let owner = Int32(name.dropFirst(homes.count)), kill(owner, 0) != 0, errno == ESRCH else {
                continue
            }
            try? files.removeItem(atPath: root + "/" + name)
        }
        atexit { try? FileManager.default.removeItem(atPath: World.home) }
        return root + "/" + homes + String(getpid())
    }()

    /// The current moment.
    package var now: Instant { time.now }

    /// The database of the process that lives now.
    package var store: Database { live.withLock { $0.store } }

    /// The rules of the process that lives now.
    package var work: Work {
        let (store, policy) = live.withLock { ($0.store, $0.policy) }
        var surroundings = Surroundings(
            store: store, github: github.face, users: users.face, machines: engine.face,
            catalog: .standard(demo: "/opt/demo"), clock: time.face, entropy: entropy, sealer: Self.sealer,
            digest: Self.digest, journal: .silent,
            hearsItself: { [weak self] in
                guard let self else { return false }
                return listens.withLock { $0 } && hearsItself.withLock { $0 }
            }, moment: { [weak self] in self?.pass($0) },
            pause: { [time] in
                // Threads that wait for each other take real time, whoever waits for the world the world's.
                guard $0 >= 1000 else { return _ = usleep(UInt32($0) * 100) }
                time.set(time.now.adding(milliseconds: Int64($0)))
            })
        surroundings.app = appSource
        surroundings.administration = administration.face
        surroundings.redactor = redactor
        if ownEngine.withLock({ $0 }) {
            let face = engine.face
            surroundings.ownMachines = { [weak self] scope, app in
                self?.engines.withLock {
                    _ = $0.insert([scope.name, app].compactMap { $0 }.joined(separator: " "))
                }
                return face
            }
        }
        return Work(surroundings, policy)
    }

    /// Changes what the operator chose.
    package func change(_ body: (inout Policy) -> Void) {
        live.withLock { body(&$0.policy) }
    }

    /// Takes away the way by which the rules call themselves; workers are heard all the same.
    package func deafen() {
        hearsItself.withLock { $0 = false }
    }

    /// Stops or starts whatever lies between the workers and the rules: nothing of theirs arrives.
    package func listen(_ isListening: Bool) {
        listens.withLock { $0 = isListening }
    }

    /// Whether what workers say arrives.
    package var isListening: Bool { listens.withLock { $0 } }

    /// Lets time pass without anybody acting; with less than nothing the clock is set back.
    package func advance(seconds: Int) {
        time.set(now.adding(seconds: seconds))
    }

    /// Sets the clock forwards or back, and no time passes.
    package func jump(seconds: Int) {
        time.jump(to: now.adding(seconds: seconds))
    }

    /// Works jobs until none is due.
    ///
    /// - Returns: how many turns gave a job up.
    @discardableResult
    package func settle() throws -> Int {
        var gaveUp = 0
        for _ in 0..<Self.mostTurns {
            switch try work.turn() {
            case .idle: return gaveUp
            case .worked, .settles: break
            case .gaveUp: gaveUp += 1
            }
        }
        throw Trouble("the queue did not come to rest at \(now.iso8601)")
    }

    /// Lets so much time pass: jobs run when they are due, workers act between.
    package func live(seconds: Int) throws {
        let end = now.adding(seconds: seconds)
        try settle()
        while true {
            try crew.act(in: self)
            try settle()
            let next = try store.nextJob() ?? end
            guard next <= end, now < end else { break }
            let moment = max(next, now.adding(milliseconds: 1))
            time.set(min(moment, end))
            try settle()
        }
        time.set(max(now, end))
        try settle()
    }

    /// Lives until the task has ended and is published, at most so long.
    package func live(until id: TaskID, atMost seconds: Int = 3600) throws {
        let end = now.adding(seconds: seconds)
        while now < end, try store.findTask(id)?.publishedAt == nil { try live(seconds: 5) }
    }

    /// The moments of outward effects that the rules have named so far, each once, in order.
    package var moments: [String] { seenMoments.withLock { $0 } }

    /// Runs the closure as if the process died at the named moment, then starts a fresh process.
    ///
    /// - Returns: whether the moment came; if not, the closure ran to its end.
    package func crash(at moment: String, during body: @escaping @Sendable () -> Void) throws -> Bool {
        trap.withLock { $0 = moment }
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            body()
            done.signal()
        }
        thread.start()
        while true {
            if trap.withLock({ $0 }) == nil {
                try reboot()
                return true
            }
            if done.wait(timeout: .now() + .milliseconds(2)) == .success {
                defer { trap.withLock { $0 = nil } }
                return trap.withLock { $0 } == nil
            }
        }
    }

    /// A fresh process over the same file, as if the one before had been killed.
    package func reboot() throws {
        let dead = store.holder.name
        unlink(folder + "/porter.sqlite-holders/" + dead)
        let fresh = try Database(path: folder + "/porter.sqlite")
        live.withLock { $0.store = fresh }
        try fresh.releaseDeadHolders()
    }

    /// Dies here if the trap is set for the moment: the thread never goes on.
    private func pass(_ moment: String) {
        seenMoments.withLock { if !$0.contains(moment) { $0.append(moment) } }
        let isTrapped = trap.withLock { trap in
            guard trap == moment else { return false }
            trap = nil
            return true
        }
        if isTrapped { while true { pause() } }
    }

    /// Lets people have engines of their own, as on Fly.
    package func allowOwnEngines() {
        ownEngine.withLock { $0 = true }
    }

    /// Begins anew to note whose engines are asked.
    package func forgetEngines() {
        engines.withLock { $0 = [] }
    }

    /// Takes the App's credentials away, so that only set-up can bring some.
    package func withoutApp() {
        isFromEnvironment.withLock { $0 = false }
    }

    /// The App's credentials: as the environment would give them, or as set-up has stored them.
    private var appSource: AppSource {
        guard !isFromEnvironment.withLock({ $0 }) else {
            return .fixed(
                AppCredentials(
                    id: "55", privateKey: Secret("private-key-canary"), clientID: "Iv1.world",
                    clientSecret: Secret("client-canary-secret"), webhookSecret: Secret(Self.webhookSecret)))
        }
        let store = store
        return AppSource(isFixed: false) {
            let stored = try? store.openSecret(
                scope: "instance", provider: Database.githubProvider, name: Database.appSecret,
                sealer: Self.sealer)
            guard let record = stored else { return .missing }
            guard let app = AppRecord(record) else { return .broken("no record") }
            return .ready(app.credentials)
        }
    }

    private var entropy: Entropy {
        Entropy { [weak self] count in
            let start = self?.serial.withLock { serial in
                serial += 1
                return serial
            }
            var value = start ?? 0
            var bytes: [UInt8] = []
            for _ in 0..<count {
                value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: value >> 33))
            }
            return bytes
        }
    }

    /// A digest that is good enough for tests: as long as the input, nothing like it.
    package static let digest: @Sendable (Secret) -> [UInt8] = { secret in
        secret.reveal { text in text.utf8.reversed().map { $0 ^ 0x5A } + [UInt8(text.utf8.count & 255)] }
    }

    /// Seals by bits turned over; opens only in the same place.
    package static let sealer = Sealer(
        seal: { value, place throws(Sealer.Failure) in
            value.reveal { Array("\(place)\u{0}\($0)".utf8).map { $0 ^ 0xFF } }
        },
        open: { sealed, place throws(Sealer.Failure) in
            let text = String(decoding: sealed.map { $0 ^ 0xFF }, as: UTF8.self)
            let head = "\(place)\u{0}"
            guard text.hasPrefix(head) else { throw Sealer.Failure("it was sealed for another place") }
            return Secret(String(text.dropFirst(head.count)))
        })
}

/// A world that cannot go on; always a defect.
package struct Trouble: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
