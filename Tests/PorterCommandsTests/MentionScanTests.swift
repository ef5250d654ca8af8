import Testing

@testable import PorterCommands

/// The cheap look for a mention, which may be wrong one way only.
@Suite struct MentionScanTests {
    private func finds(_ text: String, mention: String = "porter") -> Bool {
        Array(text.utf8).withUnsafeBytes { MentionScan(mention).finds(in: $0) }
    }

    /// Every place within, across and after the bytes that are looked at together.
    @Test(arguments: 0...140)
    func `a mention is found wherever it stands`(position: Int) {
        let before = String(repeating: "x", count: position)

        for mention in ["@porter", "/PORTER", "@pOrTeR", "\\u0040porter", "\\/porter", "@\\u0070orter"] {
            #expect(finds(before + mention + " fix it\"}"))
            #expect(finds(before + mention))
            #expect(finds(before + mention + String(repeating: "y", count: 140)))
        }
    }

    @Test(arguments: 0...140)
    func `bytes that look alike are passed over`(position: Int) {
        let before = String(repeating: "-", count: position)

        let others = ["@porte", "@portal codex", "porter", "@ porter", "\\n\\\"\\t", "\\u00e9", "/p@o/rt"]
        for other in others {
            #expect(!finds(before + other + String(repeating: "/@", count: 20)))
            #expect(!finds(before + other + String(repeating: "y", count: 140)))
        }
    }

    @Test func `nothing is found in nothing`() {
        #expect(!finds(""))
        #expect(!finds("@"))
    }
}
