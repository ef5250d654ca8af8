import Porter

/// Foreign text made harmless in a comment: it cannot close a block or a marker, ping people, or close issues.
enum Markdown {
    /// Characters of a comment at most; GitHub refuses more than 65,536.
    static let maximumCharacters = 65_000
    /// Characters of the agent's last text that an ending quotes.
    static let maximumQuote = 2000

    /// The text in a code block whose fence is longer than any run of backticks in it.
    static func codeBlock(_ text: String, most: Int = maximumQuote) -> String {
        block(bounded(text.plain, most))
    }

    /// The end of the text in such a block.
    static func codeBlock(endOf text: String, most: Int = maximumQuote) -> String {
        let shown = text.plain.unicodeScalars
        return block(shown.count > most ? "…" + String(shown.suffix(most - 1)) : String(shown))
    }

    private static func block(_ shown: String) -> String {
        let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: shown) + 1))
        return "\(fence)text\n\(shown)\n\(fence)"
    }

    /// One line of the text as inline code.
    static func code(_ text: String, most: Int = 200) -> String {
        let line = bounded(
            text.plain.split(whereSeparator: \.isNewline).joined(separator: " "), most)
        guard !line.isEmpty else { return "` `" }
        let fence = String(repeating: "`", count: longestRun(of: "`", in: line) + 1)
        let scalars = line.unicodeScalars
        let pad = scalars.first == "`" || scalars.last == "`" ? " " : ""
        return fence + pad + line + pad + fence
    }

    /// The text folded under a heading of our own.
    static func folded(_ heading: String, _ block: String) -> String {
        "<details>\n<summary>\(heading)</summary>\n\n\(block)\n\n</details>"
    }

    /// At most so many characters as GitHub counts them (Unicode scalars), with a mark where it was cut.
    static func bounded(_ text: String, _ most: Int) -> String {
        guard text.unicodeScalars.count > most else { return text }
        return String(text.unicodeScalars.prefix(most - 1)) + "…"
    }

    /// The text with a word joiner between each closing keyword and what it would close.
    ///
    /// For text of others in a pull request: it looks the same, and closes nothing, in a code block, a
    /// title, or the commit message that a squash makes of them.
    ///
    /// - SeeAlso: <https://docs.github.com/en/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue>
    static func withoutClosing(_ text: String) -> String {
        let closing =
            /(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[:\s]+(?=#|gh-|[\w.\-]+\/[\w.\-]+#|https?:)/
        return text.replacing(closing) { $0.output + "\u{2060}" }
    }

    /// The text with a word joiner behind each `@` that could mention somebody.
    ///
    /// - SeeAlso: <https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#mentioning-people-and-teams>
    static func withoutMentions(_ text: String) -> String {
        text.replacing(/@(?=[A-Za-z0-9])/, with: "@\u{2060}")
    }

    /// Counted in scalars, as Markdown does: an accent on a backtick hides none.
    private static func longestRun(of scalar: Unicode.Scalar, in text: String) -> Int {
        var longest = 0
        var run = 0
        for each in text.unicodeScalars {
            run = each == scalar ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }
}

/// Spans of time as people say them.
enum Spans {
    /// `45 s`, `3 min 5 s`, `1 h 20 min`.
    static func words(milliseconds: Int64) -> String {
        let seconds = max(0, milliseconds) / 1000
        switch seconds {
        case ..<60: return "\(max(1, seconds)) s"
        case ..<3600:
            return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds / 60) min \(seconds % 60) s"
        default:
            let minutes = seconds % 3600 / 60
            return minutes == 0 ? "\(seconds / 3600) h" : "\(seconds / 3600) h \(minutes) min"
        }
    }

    /// `1 commit`, `3 commits`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
