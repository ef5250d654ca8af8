import PlaygroundFace
import FoundationEssentials
import Glibc
import Porter
import Synchronization

/// The effect log: one JSON object a line, in the order in which things happened.
///
/// Whoever judges a run reads it alone, so that it says everything that matters, and never a token.
final class Effects: Sendable {
    private let descriptor: Int32
    private let clock: Clock
    private let lines = Mutex<[JSON]>([])

    /// Begins the log, or goes on with one that is there.
    init(path: String, clock: Clock) throws(SetupError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        self.clock = clock
        guard descriptor >= 0 else {
            throw SetupError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(descriptor)
    }

    /// Adds a line; it is in the file when this returns.
    func append(_ kind: String, actor: String, _ more: JSON) {
        let line: JSON =
            ["at": .string(clock.now().iso8601), "kind": .string(kind), "actor": .string(actor)] + more
        lines.withLock { lines in
            lines.append(line)
            let bytes = line.data + Data("\n".utf8)
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            precondition(written == bytes.count, "the effect log cannot be written")
        }
    }

    /// The lines since the start of this process, without the first so many.
    func list(from first: Int) -> [JSON] {
        lines.withLock { Array($0.dropFirst(max(0, first))) }
    }
}

/// The playground cannot begin.
struct SetupError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
