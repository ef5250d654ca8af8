import CLinux
import Glibc
import Logging
import Porter
import PorterProcess
import PorterServer
package import PorterSettings

/// The local engine: runs machines on this box behind the small part of Fly's API that Porter uses.
///
/// ``Runner/main(_:)`` reads as the program goes: settings, what must be there, the folder with what earlier
/// runs left, a trial machine, the socket, and the end. ``API`` answers, ``Fleet`` knows the machines,
/// ``Life`` is one of them on its thread, ``OuterBox`` its walls, ``ControlGroups`` and ``Meter`` its limits,
/// ``Children`` sees to it that nothing of it stays.
package struct Runner: Sendable {
    /// Seconds that workers have to save: 120 of their own, and what it takes to end an agent and report.
    static let drainTime = 140
    /// Seconds for the last kill.
    static let lastTime = 30

    private let host: Host
    private let about: API.About

    /// Blocks the signals that end the program; call it first in the program.
    package static func prepareProcess() {
        var set = signals
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        umask(0o077)
        Children.adoptOrphans()
    }

    /// Serves machines until a signal says otherwise.
    ///
    /// - Returns: 0 after an orderly end, 78 for wrong settings, 69 where something is missing or boxes cannot
    ///   be made, 75 when another runner is at work.
    package static func main(_ environment: [String: String]) -> ExitCode {
        let settings: RunnerSettings
        do throws(ConfigurationErrors) {
            settings = try RunnerSettings.load(environment, isRoot: geteuid() == 0, folder: ownFolder)
        } catch {
            for line in error.lines { Say.line(line) }
            return .configuration
        }
        let missing = Checks.missing(Checks.tools)
        for tool in missing { say("\(tool) is missing: install bubblewrap and git") }
        guard missing.isEmpty else { return .unavailable }
        do throws(RunnerFailure) {
            return try Runner(settings).run()
        } catch {
            say(error.description)
            return error.number == EWOULDBLOCK ? .tryAgain : .unavailable
        }
    }

    private init(_ settings: RunnerSettings) throws(RunnerFailure) {
        let folder = try StateFolder.open(settings.state, user: settings.user)
        let level = Logger.Level(rawValue: settings.logLevel) ?? .notice
        host = Host(
            folder: folder, settings: settings, worker: try folder.install(settings.worker),
            groups: ControlGroups.find(
                mounts: SmallFiles.text("/proc/self/mountinfo") ?? "",
                membership: SmallFiles.text("/proc/self/cgroup") ?? ""),
            children: Children(),
            journal: .logging(Logger(label: "porter-runner") { _ in JournalLogHandler(level: level) }),
            clock: Clock {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
            })
        about = Checks.about(settings, host.groups)
    }

    private func run() throws(RunnerFailure) -> ExitCode {
        let fleet = Fleet(host: host)
        let who = host.settings.user?.name ?? "the runner's own user"
        if let words = try Checks(host: host).trial() {
            Self.say("a machine cannot be begun as \(who): \(words)")
            if host.settings.isolation == .box {
                Self.say(
                    "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone, "
                        + "user.max_user_namespaces), or accept less with PORTER_RUNNER_ISOLATION=weak")
            }
            return .unavailable
        }
        let api = API(fleet: fleet, about: about)
        let server = Server(at: .unix(path: host.settings.socket, mode: 0o660)) { api.answer($0) }
        do throws(ServerError) {
            _ = try server.start()
        } catch {
            Self.say("PORTER_RUNNER_SOCKET: \(error)")
            return .tryAgain
        }
        for warning in about.warnings { host.journal.record(.warning, "not enforced", ["what": warning]) }
        host.journal.record(
            .notice, "runner ready",
            ["socket": host.settings.socket, "user": who, "isolation": about.isolation])
        _ = Self.wait(atMost: nil)
        end(fleet)
        server.stop(atMost: 1)
        return .done
    }

    /// Lets the workers save, unless a second signal comes, and leaves nothing behind.
    private func end(_ fleet: Fleet) {
        host.journal.record(.notice, "runner ends", ["machines": "\(fleet.liveCount)"])
        fleet.drain()
        let deadline = ContinuousClock.now + .seconds(Self.drainTime)
        while fleet.liveCount > 0, ContinuousClock.now < deadline {
            if Self.wait(atMost: 50) { break }
        }
        if !fleet.destroyAll(atMost: .seconds(Self.lastTime)) {
            host.journal.record(.error, "machines are left behind", [:])
        }
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }

    /// Waits for a signal; false when the milliseconds are over first.
    private static func wait(atMost milliseconds: Int?) -> Bool {
        var set = signals
        guard let milliseconds else {
            var number: Int32 = 0
            while sigwait(&set, &number) != 0 {}
            return true
        }
        var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
        return sigtimedwait(&set, nil, &time) > 0
    }

    /// Where this program lies.
    private static var ownFolder: String {
        guard let path = realpath("/proc/self/exe", nil) else { return "/usr/bin" }
        defer { free(path) }
        let own = String(cString: path)
        return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
    }

    private static func say(_ words: String) {
        Say.line("porter-runner: \(words)")
    }
}
