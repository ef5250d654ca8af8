import CLinux
import Glibc

/// What other programs left running below this process when they ended.
package enum Orphans {
    /// Makes this process the parent of every orphan below it.
    ///
    /// - SeeAlso: <https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html>
    package static func adopt() {
        let result = porter_prctl(PR_SET_CHILD_SUBREAPER, 1)
        precondition(result == 0, "Linux lets every process adopt")
    }

    /// Kills and reaps children until there is none left to kill, theirs included.
    ///
    /// - Parameter choose: gets what lists this process's children, and returns those to kill.
    /// - Returns: false when something was still there after the time.
    package static func kill(atMost time: Duration, choose: (() -> [Int32]) -> [Int32]) -> Bool {
        let deadline = ContinuousClock.now + time
        while true {
            let strays = choose { ProcessTable.read().children(of: getpid()).map(\.pid) }
            if strays.isEmpty { return true }
            for pid in strays {
                Glibc.kill(pid, SIGKILL)
                waitpid(pid, nil, WNOHANG)
            }
            if ContinuousClock.now > deadline { return false }
            usleep(2000)
        }
    }
}
