import Porter
import Synchronization

/// An agent's output on its way to Porter: whole lines, valid UTF-8, without the secrets of this run.
final class LogBuffer: Sendable {
    /// Bytes that wait for their delivery at most; what comes beyond is dropped, and the log says so.
    static let maximumPending = 4_194_304
    /// Bytes of a line without an end that are sent on nevertheless.
    static let maximumLine = 65_536
    /// Bytes in one delivery at most.
    static let maximumPiece = 131_072

    private struct State {
        /// The offset of the first byte that waits.
        var offset = 0
        var pending: [UInt8] = []
        /// The beginning of a line that has not ended yet.
        var line: [UInt8] = []
        var isOverflowing = false
    }

    private let state = Mutex(State())
    private let redactor: Redactor

    init(redactor: Redactor) {
        self.redactor = redactor
    }

    /// Takes the next bytes.
    func append(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            for byte in bytes {
                state.line.append(byte)
                if byte == UInt8(ascii: "\n") || state.line.count >= Self.maximumLine { flush(&state) }
            }
        }
    }

    /// Takes a line of the worker's own.
    func note(_ text: String) {
        var text = text + "\n"
        state.withLock { state in
            if !state.line.isEmpty { state.line.append(UInt8(ascii: "\n")) }
            flush(&state)
        }
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Ends a line that the program left open.
    func finish() {
        state.withLock { flush(&$0) }
    }

    /// The next piece to deliver; nil when nothing waits.
    func next() -> (offset: Int, text: String)? {
        state.withLock { state in
            guard !state.pending.isEmpty else { return nil }
            var end = min(state.pending.count, Self.maximumPiece)
            // No piece ends within a character.
            while end < state.pending.count, end > 0, state.pending[end] & 0xC0 == 0x80 { end -= 1 }
            return (state.offset, String(decoding: state.pending[..<end], as: UTF8.self))
        }
    }

    /// Porter has everything up to the offset.
    func acknowledge(upTo offset: Int) {
        state.withLock { state in
            let count = offset - state.offset
            guard count > 0 else { return }
            state.pending.removeFirst(min(count, state.pending.count))
            state.offset = offset
            state.isOverflowing = state.isOverflowing && state.pending.count > Self.maximumPending / 2
        }
    }

    private func flush(_ state: inout State) {
        guard !state.line.isEmpty else { return }
        let text = redactor.redact(String(decoding: state.line, as: UTF8.self))
        state.line.removeAll(keepingCapacity: true)
        if state.isOverflowing { return }
        state.pending += Array(text.utf8)
        if state.pending.count > Self.maximumPending {
            state.isOverflowing = true
            state.pending += Array(
                "\n[porter: the output came faster than it could be kept; some is missing]\n".utf8)
        }
    }
}
