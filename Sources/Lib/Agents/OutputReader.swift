package import Porter

/// What an agent said and used, and whether it failed.
package struct AgentReport: Hashable, Sendable {
    /// The agent's last words.
    package var finalText: String?
    /// The sum over the run so far; nil when the output tells nothing.
    package var usage: Usage?
    /// Why it failed, as far as its output tells.
    package var failure: Reason?
    /// The failure in the program's own words, one line.
    package var failureText: String?

    /// Nothing said yet.
    package init() {}
}

/// Understands the lines of one program's output.
protocol OutputReading {
    mutating func read(line: String)
    var report: AgentReport { get }
}

/// Cuts an agent's standard output into lines and lets its definition read them.
///
/// Tolerates garbage, lines longer than ``maximumLine`` (they are left out) and a stream that ends anywhere.
package struct OutputReader {
    /// Bytes of a line that are read.
    package static let maximumLine = 1_048_576

    private var reading: any OutputReading
    private var pending: [UInt8] = []
    private var isTooLong = false

    init(_ reading: any OutputReading) {
        self.reading = reading
    }

    /// Takes the next bytes of the stream.
    package mutating func read(_ bytes: some Collection<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                flush()
            } else if pending.count < Self.maximumLine {
                pending.append(byte)
            } else {
                isTooLong = true
            }
        }
    }

    /// Ends the stream.
    package mutating func finish() -> AgentReport {
        flush()
        return reading.report
    }

    private mutating func flush() {
        defer {
            pending.removeAll(keepingCapacity: true)
            isTooLong = false
        }
        if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
        guard !pending.isEmpty, !isTooLong else { return }
        reading.read(line: String(decoding: pending, as: UTF8.self))
    }
}

/// Reads providers' error texts.
enum ProviderErrors {
    /// The reason that the text speaks of; nil when it speaks of none that is known.
    static func reason(_ text: String, status: Int? = nil) -> Reason? {
        let lowered = text.lowercased()
        func says(_ words: String...) -> Bool { words.contains { lowered.contains($0) } }
        if says(
            "credit balance is too low", "insufficient_quota", "exceeded your current quota",
            "billing", "payment required")
        {
            return .providerQuota
        }
        if says("missing environment variable", "not logged in", "please run /login", "no api key") {
            return .providerKeyMissing
        }
        if says(
            "context_length_exceeded", "maximum context length", "prompt is too long",
            "context window", "input is too long")
        {
            return .contextTooLong
        }
        switch status ?? statusCode(lowered) {
        case 401, 403: return .providerAuth
        case 402: return .providerQuota
        case 429: return says("quota") ? .providerQuota : .providerOverloaded
        case let code? where code >= 500: return .providerOverloaded
        default: break
        }
        if says("invalid api key", "invalid x-api-key", "authentication_error", "unauthorized") {
            return .providerAuth
        }
        // Codex says "high demand" for a plain 500, without the status.
        return says("overloaded", "rate limit", "high demand") ? .providerOverloaded : nil
    }

    /// The code of `unexpected status 401 …` and of `… last status: 429 …`.
    private static func statusCode(_ text: String) -> Int? {
        for words in ["unexpected status ", "last status: "] {
            guard let range = text.firstRange(of: words) else { continue }
            if let code = Int(text[range.upperBound...].prefix(3)) { return code }
        }
        return nil
    }
}
