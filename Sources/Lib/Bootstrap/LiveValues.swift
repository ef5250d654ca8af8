import FoundationEssentials
import Glibc
import Porter
import PorterAgents
import PorterCrypto
import PorterGitHub
import PorterHTTP
import PorterMachines
import PorterSettings
import PorterStore
import PorterWeb
import PorterWork

extension Clock {
    /// The machine's clock.
    static let system = Clock(
        now: { Instant(milliseconds: milliseconds(CLOCK_REALTIME)) }, uptime: { milliseconds(CLOCK_BOOTTIME) }
    )

    /// - SeeAlso: <https://man7.org/linux/man-pages/man2/clock_gettime.2.html>
    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension Entropy {
    /// OpenSSL's generator.
    static let system = Entropy { SecureRandom.bytes($0) }
}

extension Sealer {
    /// The envelope under `PORTER_SECRET_KEYS`.
    static func live(_ configuration: Configuration) -> Sealer {
        let envelope = configuration.secretKeys.reveal { text in
            // The settings were checked when they were read.
            (try? KeyRing(parsing: text)).map { Envelope($0) }
        }
        return Sealer(
            seal: { value, place throws(Failure) in
                guard let envelope else { throw Failure("PORTER_SECRET_KEYS holds no key") }
                do throws(CryptoError) {
                    return try value.reveal { (text) throws(CryptoError) in
                        try envelope.seal(Array(text.utf8), context: place.context)
                    }
                } catch {
                    throw Failure(error.description)
                }
            },
            open: { sealed, place throws(Failure) in
                guard let envelope else { throw Failure("PORTER_SECRET_KEYS holds no key") }
                do throws(CryptoError) {
                    return Secret(
                        String(decoding: try envelope.open(sealed, context: place.context), as: UTF8.self))
                } catch {
                    throw Failure(error.description)
                }
            },
            keyID: { Envelope.keyID(of: $0) }, currentKey: envelope?.currentKey ?? "")
    }
}

extension Sealer.Place {
    /// What a sealed value is bound to.
    fileprivate var context: [String] { [table, column, row, owner] }
}

extension GitHub {
    /// GitHub as the App; before set-up every call is refused.
    static func live(
        _ configuration: Configuration, _ transport: Transport, _ keeper: AppKeeper, _ clock: Clock
    ) -> (github: GitHub, administration: AppAdministration) {
        var live = live(
            transport: transport, apiURL: configuration.githubAPIURL, appID: keeper.appID, sign: keeper.sign,
            clock: clock)
        // Whatever is written for people passes the redactor once more on its way out; people's own keys were taken
        // out of what their runs said before it was stored.
        let (createComment, updateComment) = (live.github.createComment, live.github.updateComment)
        let createPullRequest = live.github.createPullRequest
        live.github.createComment = { place, issue, body throws(GitHubError) in
            try createComment(place, issue, Redactor.shared.redact(body, about: nil))
        }
        live.github.updateComment = { place, comment, body throws(GitHubError) in
            try updateComment(place, comment, Redactor.shared.redact(body, about: nil))
        }
        live.github.createPullRequest = { place, draft throws(GitHubError) in
            var draft = draft
            draft.title = Redactor.shared.redact(draft.title, about: nil)
            draft.body = Redactor.shared.redact(draft.body, about: nil)
            return try createPullRequest(place, draft)
        }
        return live
    }
}

extension Probes {
    /// The calls that validation makes.
    static func live(_ configuration: Configuration, _ transport: Transport) -> Probes {
        let address = configuration.flyAPIURL
        return Probes(
            transport: transport,
            fly: { app, token throws(MachinesError) in
                let machines = Machines.live(transport: transport, baseURL: address, app: app, token: token)
                // No machine has this mark: the answer only says that app and token are good.
                _ = try machines.list("porter_check", "1", false)
            })
    }
}

extension Transport {
    /// Calls to the outside, as the operator allows them.
    static func outside(_ configuration: Configuration, _ cancellation: Cancellation) -> Transport {
        var options = CurlOptions()
        options.authorityFile = configuration.authorityFile
        options.proxy = configuration.proxy
        options.privateHosts = Set(configuration.privateHosts)
        options.cancellation = cancellation
        return .curl(options)
    }
}

extension UserGitHub {
    /// GitHub as the people who signed in with the App see it; before set-up every call is refused.
    static func live(
        _ configuration: Configuration, _ transport: Transport, _ app: AppSource, _ clock: Clock
    ) -> UserGitHub {
        .live(
            transport: transport, webURL: configuration.githubURL, apiURL: configuration.githubAPIURL,
            credentials: {
                app.credentials.map { Credentials(clientID: $0.clientID, clientSecret: $0.clientSecret) }
            }, clock: clock)
    }
}

extension Machines {
    /// The engine that the settings choose.
    static func live(
        _ configuration: Configuration, _ store: Database, _ sealer: Sealer, _ outside: Transport,
        _ cancellation: Cancellation
    ) -> Machines {
        guard configuration.executor == "fly" else {
            return .live(
                transport: .runner(configuration, cancellation), baseURL: runnerURL, app: "local", token: nil)
        }
        return FlyEngine(configuration, scope: .shared, store, sealer, outside).machines
    }
}

extension Machines {
    /// Where the runner's API begins, on its socket.
    fileprivate static let runnerURL = "http://localhost/v1"

    /// What the local engine says that it cannot hold; nil for Fly, and when it does not answer.
    static func notes(_ configuration: Configuration) -> [String]? {
        guard configuration.executor == "local" else { return nil }
        return EngineNotes.ask(
            transport: .runner(configuration, Cancellation()), baseURL: runnerURL, app: "local")
    }
}

extension Transport {
    /// Calls `porter-runner` on its socket.
    fileprivate static func runner(
        _ configuration: Configuration, _ cancellation: Cancellation
    ) -> Transport {
        var options = CurlOptions()
        options.cancellation = cancellation
        options.unixSocket = configuration.runnerSocket
        return .curl(options)
    }
}

/// A call to the callbacks' address, over the same way that workers take.
struct SelfCall: Sendable {
    private let transport: Transport
    private let address: String
    private static let limits = Transport.Limits(
        connect: .seconds(2), total: .seconds(5), maximumBodyBytes: 65_536)

    init(_ configuration: Configuration, _ cancellation: Cancellation) {
        var options = CurlOptions()
        options.authorityFile = configuration.authorityFile
        options.cancellation = cancellation
        options.privateHosts = Set(configuration.privateHosts)
        // A worker on this box reaches it wherever its name leads, and so may we.
        if let host = AddressRules.host(of: configuration.callbackURL) { options.privateHosts.insert(host) }
        transport = .curl(options)
        address = configuration.callbackURL + "/healthz"
    }

    /// Whether a Porter answered.
    @Sendable func isAnswered() -> Bool {
        struct Health: Decodable {
            let version: String
        }
        guard
            let response = try? transport.send(Request(method: "GET", target: address), Self.limits),
            response.status == 200
        else { return false }
        return (try? JSONDecoder().decode(Health.self, from: response.body)) != nil
    }
}

extension FlyApp.Given {
    /// What the environment says of the team's app.
    init?(_ configuration: Configuration) {
        self.init(
            app: configuration.flyApp, token: configuration.flyToken, region: configuration.flyRegion)
    }
}

extension Policy {
    /// Mebibytes of memory that a machine gets.
    private static let machineMemory = 2048
    /// Runs at once on Fly unless the operator says otherwise.
    private static let flyTotal = 20

    /// What the settings say.
    init(_ configuration: Configuration) {
        let onFly = configuration.executor == "fly"
        let fly = FlyApp.Given(configuration)
        var limits = Limits()
        limits.task = configuration.taskTimeout
        limits.taskMaximum = configuration.taskTimeoutMaximum
        limits.stall = configuration.stallTimeout
        limits.grace = configuration.grace
        self.init(
            callbackURL: configuration.callbackURL, mention: configuration.mention,
            owners: configuration.owners,
            allowedLogins: configuration.allowedLogins,
            engine: Engine(
                name: configuration.executor,
                isConfigured: !onFly
                    || (configuration.workerImage != nil && fly.map(FlyApp.init)?.isComplete == true),
                image: configuration.workerImage ?? "local", region: configuration.flyRegion, cpus: 1,
                memory: Self.machineMemory),
            caps: Caps(
                perPerson: configuration.tasksPerUser,
                total: configuration.tasksTotal ?? (onFly ? Self.flyTotal : Self.localTotal)),
            limits: limits, teamKeys: configuration.teamKeys,
            retentionDays: configuration.retentionDays, logLimit: configuration.logLimit)
        admins = configuration.admins
        publicURL = configuration.publicURL
        githubURL = configuration.githubURL
        given = configuration.given
        givenFly = fly
        hasWorkerImage = configuration.workerImage != nil
        isPolling = configuration.ingest == "poll"
        if Self.isEnterpriseServer(configuration.githubAPIURL) { logReach = 7 * 86_400 }
    }

    /// Whether the address is that of a GitHub of one's own, not of github.com or an account at ghe.com.
    static func isEnterpriseServer(_ apiURL: String) -> Bool {
        guard let host = AddressRules.host(of: apiURL)?.lowercased() else { return true }
        return host != "api.github.com" && !(host.hasPrefix("api.") && host.hasSuffix(".ghe.com"))
    }

    /// Runs that this box's cores and memory bear, at least one.
    private static var localTotal: Int {
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let mebibytes = pages / 256 * (sysconf(Int32(_SC_PAGESIZE)) / 4096)
        return max(1, min(cores, mebibytes / machineMemory))
    }
}
