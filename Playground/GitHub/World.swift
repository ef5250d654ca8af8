import PlaygroundFace
import Glibc
import Porter
import PorterCrypto
import PorterHTTP
import Synchronization

/// One GitHub: its state, its git repositories, its effect log and its sender of deliveries.
final class World: Sendable {
    let options: Options
    let effects: Effects
    let git: GitFolder
    let clock: Clock
    let sender: Sender
    /// The keys of the App that is registered now.
    let registration: Mutex<Registration>
    private let state: Mutex<State>

    /// A world with the seed in it, whose address is not known yet.
    ///
    /// - Parameter transport: what deliveries go by.
    init(
        _ options: Options, clock: Clock = .system, transport: Transport = .curl(CurlOptions())
    ) throws(SetupError) {
        self.options = options
        self.clock = clock
        do {
            registration = Mutex(
                Registration(
                    signer: try RSASigner(pem: options.appKey), webhookSecret: options.webhookSecret,
                    webhookURL: options.webhookURL, clientSecret: options.clientSecret))
        } catch {
            throw SetupError("the App's key: \(error)")
        }
        git = try GitFolder(options.folder)
        effects = try Effects(path: options.folder + "/effects.jsonl", clock: clock)
        sender = Sender(transport)
        state = Mutex(Seed.state(options, clock))
        try Seed.repositories(git)
        sender.start(self)
    }

    /// Reads or changes the state, alone.
    func with<Result: Sendable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try state.withLock { (state) throws(Failure) -> Result in try body(&state) }
    }
}

extension Clock {
    /// The system's clock.
    static let system = Clock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
