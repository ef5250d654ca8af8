import CLinux
import Glibc

/// What other processes of the same user may see of this one.
package enum Privacy {
    /// Closes this process's memory, environment and descriptors to its own user; its children decide anew.
    ///
    /// - SeeAlso: <https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html>
    package static func hide() {
        let result = porter_prctl(PR_SET_DUMPABLE, 0)
        precondition(result == 0, "Linux lets every process hide")
    }
}
