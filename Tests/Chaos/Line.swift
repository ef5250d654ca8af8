import CLinux
import Glibc
import Porter

/// One end of a socket between the two processes; whole messages go to and fro.
struct Line: Sendable {
    let descriptor: Int32

    /// Sends a message; false when nobody is there any more.
    @discardableResult
    func send(_ message: [UInt8]) -> Bool {
        var framed = Writer()
        framed.put(raw: message)
        var sent = 0
        while sent < framed.bytes.count {
            let count = framed.bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// The next message; nil when the other end is gone.
    func receive() -> [UInt8]? {
        guard let head = take(8) else { return nil }
        var reader = Reader(head)
        return take(Int(reader.word()))
    }

    private func take(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var got = 0
        while got < count {
            let more = bytes[got...].withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if more < 0, errno == EINTR { continue }
            guard more > 0 else { return nil }
            got += more
        }
        return bytes
    }
}

/// What a child says to its parent, the first byte of each message.
enum Word: UInt8 {
    /// It calls the outside and waits for the answer.
    case call
    /// It waits until a time has come.
    case wait
    /// It has come to a named moment and waits for leave to go on.
    case moment
    /// The command is done; what it came to follows.
    case done
}

/// What the child is asked to do.
enum Order: String, Wire {
    /// Work one job.
    case turn
    /// Make the watchdog's pass.
    case pass
    /// Free what dead processes held, as a dispatcher does every few seconds.
    case rescue
    /// Take a delivery in.
    case deliver
    case claim
    case progress
    case credential
    case complete
}
