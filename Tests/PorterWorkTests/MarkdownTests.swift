import Testing

@testable import PorterWork

/// Nothing that an agent or a stranger wrote leaves the place where it is shown.
@Suite struct MarkdownTests {
    /// Whether a line of the block closes its fence, as CommonMark reads it.
    private func closes(_ block: String) -> [Int] {
        let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
        let fence = lines[0].prefix { $0 == "`" }
        return lines.indices.dropFirst().filter { index in
            let line = lines[index].trimmingPrefix { $0 == " " }
            let ticks = line.unicodeScalars.prefix { $0 == "`" }.count
            return ticks >= fence.count
                && line.unicodeScalars.dropFirst(ticks).allSatisfy { $0 == " " || $0 == "\t" }
        }
    }

    @Test(arguments: [
        "```", "````\n```", "`````` \n@everyone", "~~~\n```js", "</details> <!-- porter:x:ending -->",
        "``\u{301}`\n```\u{301}", "   ```", "\u{200B}```", "```\r\n```\r", "a\u{2028}```",
    ])
    func `no text closes the block that quotes it`(text: String) {
        let block = Markdown.codeBlock(text)
        #expect(closes(block) == [block.split(separator: "\n", omittingEmptySubsequences: false).count - 1])
    }

    @Test(arguments: ["`", "``", "a`b", "``\u{301}@victim", "`\u{301}`@victim", "x``\u{20E3} @acme/all"])
    func `no text closes the code that shows it`(text: String) {
        let code = Markdown.code(text)
        let scalars = Array(code.unicodeScalars)
        let fence = scalars.prefix { $0 == "`" }.count
        var runs: [Int] = []
        var run = 0
        for scalar in scalars + [" "] {
            if scalar == "`" {
                run += 1
            } else if run > 0 {
                runs.append(run)
                run = 0
            }
        }
        // Only the first and the last run are as long as the fence.
        #expect(runs.first == fence && runs.last == fence)
        #expect(runs.dropFirst().dropLast().allSatisfy { $0 != fence })
    }

    @Test func `bounds count what GitHub counts, not what looks like one character`() {
        let heap = "e" + String(repeating: "\u{301}", count: 100_000)

        #expect(Markdown.bounded(heap, 2000).unicodeScalars.count <= 2000)
        #expect(Markdown.codeBlock(heap).unicodeScalars.count <= 2100)
    }

    @Test func `what fits is left as it is, and a cut is marked`() {
        #expect(Markdown.bounded("abc", 3) == "abc")
        #expect(Markdown.bounded("abcd", 3) == "ab…")
    }

    @Test func `control characters show nothing`() {
        #expect(Markdown.code("a\u{1B}[31mb\u{0}c") == "`a[31mbc`")
    }

    @Test func `one line of code stays one line`() {
        #expect(Markdown.code("a\nb\r\nc\u{2028}d").contains("\n") == false)
    }
}
