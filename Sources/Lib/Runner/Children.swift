import CLinux
import Glibc
import PorterProcess
import Synchronization

/// The processes that the runner has begun, and those that it inherits.
///
/// The runner adopts every orphan of its machines. Whatever it has not begun itself is therefore what a
/// machine left behind when its first process ended: it is killed and waited for, so that nothing of a
/// machine outlives it.
final class Children: Sendable {
    private let own = Mutex<Set<pid_t>>([])

    /// Makes this process the one that orphans below it go to.
    static func adoptOrphans() {
        Orphans.adopt()
    }

    /// Starts a program; the calling thread must live until the program has been reaped.
    func start(_ launch: Launch) throws(RunnerFailure) -> pid_t {
        // Under the lock, so that no one takes a child for a stray before it is in the set.
        let result = own.withLock { own -> Result<pid_t, RunnerFailure> in
            do throws(RunnerFailure) {
                let pid = try launch.start()
                own.insert(pid)
                return .success(pid)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Takes the ending of a program that has ended, or waits for it.
    func reap(_ pid: pid_t) -> Child.Ending {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        own.withLock { _ = $0.remove(pid) }
        return porter_exited(status) != 0
            ? .exited(Int(porter_exit_code(status))) : .killed(signal: Int(porter_signal(status)))
    }

    /// Kills and reaps everything that the runner inherited.
    ///
    /// - Returns: false when something was still there after the time.
    func killStrays(atMost time: Duration) -> Bool {
        Orphans.kill(atMost: time) { strays in
            own.withLock { own in strays().filter { !own.contains($0) } }
        }
    }
}
