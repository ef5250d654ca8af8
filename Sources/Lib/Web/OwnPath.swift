/// A page of ours that a person comes back to after signing in.
///
/// Whatever a browser might read as another site's address is none: the list says what may be in it, not what
/// may not.
enum OwnPath {
    /// Bytes at most.
    static let longest = 1024

    /// Whether the text is the address of a page of ours: a path of plain characters, maybe a query and a
    /// fragment.
    static func isOne(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count <= longest, bytes.first == UInt8(ascii: "/") else { return false }
        let path = bytes.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard path.allSatisfy(isPlain), bytes.dropFirst(path.count).allSatisfy(isHarmless) else {
            return false
        }
        let segments = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        // `//host` is another site's address, and dots lead elsewhere.
        let isStraight = segments.dropLast().allSatisfy { !$0.isEmpty && $0.first != UInt8(ascii: ".") }
        let isPage = segments.last?.first != UInt8(ascii: ".")
        // An address that answers programs is no page; one that begins a sign-in would lead in a circle.
        return isStraight && isPage && segments.first.map { Array($0) } != Array("api".utf8)
    }

    /// A letter, a digit, `-`, `_`, `.`, `~` or `/`; nothing that is escaped.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "-_.~/".utf8.contains(byte)
        }
    }

    /// Printable ASCII but for what no address holds unescaped.
    private static func isHarmless(_ byte: UInt8) -> Bool {
        (33...126).contains(byte) && !"\"<>\\^`{|}".utf8.contains(byte)
    }
}
