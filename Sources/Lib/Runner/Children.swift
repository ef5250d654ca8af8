import CLinux
import Glibc
import PorterProcess
import Synchronization

/// The processes that the runner has begun, and those that it inherits.
///
/// The runner adopts every orphan of its machines. Whatever it has not begun itself is therefore what a
/// machine left behind when its keeper was killed: it is killed and waited for, so that nothing of a
/// machine outlives it.
final class Children: Sendable {
    /// The keepers and their lifelines.
    private let own = Mutex<[pid_t: Int32]>([:])

    /// Makes this process the one that orphans below it go to.
    static func adoptOrphans() {
        Orphans.adopt()
    }

    /// Starts a program; the result is its keeper's process id.
    func start(_ launch: Launch) throws(RunnerFailure) -> pid_t {
        // Under the lock, so that no one takes a child for a stray before it is in the set.
        let result = own.withLock { own -> Result<pid_t, RunnerFailure> in
            do throws(RunnerFailure) {
                let started = try launch.start()
                own[started.keeper] = started.lifeline
                return .success(started.keeper)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Takes the ending of a keeper that has ended, or waits for it; its code is the program's.
    func reap(_ pid: pid_t) -> Child.Ending {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let lifeline = own.withLock { $0.removeValue(forKey: pid) }
        if let lifeline { close(lifeline) }
        return porter_exited(status) != 0
            ? .exited(Int(porter_exit_code(status))) : .killed(signal: Int(porter_signal(status)))
    }

    /// Kills and reaps everything that the runner inherited.
    ///
    /// - Returns: false when something was still there after the time.
    func killStrays(atMost time: Duration) -> Bool {
        Orphans.kill(atMost: time) { strays in
            own.withLock { own in strays().filter { own[$0] == nil } }
        }
    }
}
