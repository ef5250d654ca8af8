import Porter
import Testing

@testable import PorterWorker

@Suite struct LogBufferTests {
    private func feed(_ log: LogBuffer, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { log.append($0) }
    }

    private func feed(_ log: LogBuffer, _ text: String) {
        feed(log, Array(text.utf8))
    }

    @Test func `an unfinished line waits for its end`() {
        let log = LogBuffer(redactor: Redactor())
        feed(log, "half")
        #expect(log.next() == nil)
        feed(log, " a line\n")
        #expect(log.next()?.text == "half a line\n")
    }

    @Test func `finishing sends what has no end`() {
        let log = LogBuffer(redactor: Redactor())
        feed(log, "the last words")
        log.finish()
        #expect(log.next()?.text == "the last words")
    }

    @Test func `a piece comes again until it is acknowledged, at the same offset`() {
        let log = LogBuffer(redactor: Redactor())
        feed(log, "one\n")
        #expect(log.next()?.offset == 0)
        #expect(log.next()?.text == "one\n")
        log.acknowledge(upTo: 4)
        #expect(log.next() == nil)
        feed(log, "two\n")
        #expect(log.next()?.offset == 4)
    }

    @Test func `a piece that was half received goes on where it stopped`() {
        let log = LogBuffer(redactor: Redactor())
        feed(log, "onetwo\n")
        log.acknowledge(upTo: 3)
        #expect(log.next()?.offset == 3)
        #expect(log.next()?.text == "two\n")
    }

    @Test func `an old acknowledgement changes nothing`() {
        let log = LogBuffer(redactor: Redactor())
        feed(log, "one\ntwo\n")
        log.acknowledge(upTo: 4)
        log.acknowledge(upTo: 2)
        #expect(log.next()?.text == "two\n")
    }

    @Test func `a secret is redacted even when it comes in two pieces`() {
        let redactor = Redactor()
        redactor.watch(Secret("sk-canary-0001"))
        let log = LogBuffer(redactor: redactor)
        feed(log, "the key is sk-can")
        feed(log, "ary-0001, really\n")
        #expect(log.next()?.text == "the key is <redacted>, really\n")
    }

    @Test func `what is no UTF-8 becomes so`() {
        let log = LogBuffer(redactor: Redactor())
        feed(log, [0xFF, 0x41, 0x0A])
        #expect(log.next()?.text == "\u{FFFD}A\n")
    }

    @Test func `no piece ends within a character`() {
        let log = LogBuffer(redactor: Redactor())
        // One byte before the euro signs makes the limit fall inside one.
        let line = String(repeating: "€", count: 20_000) + "\n"
        feed(log, "a")
        for _ in 0..<6 { feed(log, line) }
        var whole = ""
        while let piece = log.next() {
            #expect(!piece.text.contains("\u{FFFD}"))
            whole += piece.text
            log.acknowledge(upTo: piece.offset + piece.text.utf8.count)
        }
        #expect(whole == "a" + String(repeating: line, count: 6))
    }

    @Test func `a flood is cut once, says so, and what comes after it is kept`() {
        let log = LogBuffer(redactor: Redactor())
        let line = String(repeating: "x", count: 1023) + "\n"
        for _ in 0..<(LogBuffer.maximumPending / 1024 + 100) { feed(log, line) }
        var text = ""
        while let piece = log.next() {
            text += piece.text
            log.acknowledge(upTo: piece.offset + piece.text.utf8.count)
        }
        #expect(text.utf8.count < LogBuffer.maximumPending + 2048)
        #expect(text.components(separatedByText: "some is missing").count == 2)
        feed(log, "later\n")
        #expect(log.next()?.text == "later\n")
    }

    @Test func `a line without an end is sent on at its limit`() {
        let log = LogBuffer(redactor: Redactor())
        feed(log, String(repeating: "y", count: LogBuffer.maximumLine))
        #expect(log.next()?.text.utf8.count == LogBuffer.maximumLine)
    }

    @Test func `a note of the worker's begins a line of its own`() {
        let log = LogBuffer(redactor: Redactor())
        feed(log, "no end")
        log.note("porter: saving")
        #expect(log.next()?.text == "no end\nporter: saving\n")
    }
}

extension String {
    fileprivate func components(separatedByText mark: String) -> [Substring] {
        split(separator: mark, omittingEmptySubsequences: false)
    }
}
