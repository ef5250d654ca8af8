import Porter

extension CommandParser {
    /// Reads one flag into the command; says what is wrong with it.
    func flag(
        _ word: String, _ words: inout Words, _ command: inout RunCommand, _ seen: inout Set<String>
    ) -> Mistake? {
        let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts[0].lowercased()
        guard Self.flags.contains(name) else {
            let all = Self.flags.map { "`--\($0)`" }.joined(separator: ", ")
            return Mistake(
                .badCommand,
                "\(Quoted(word)) is no flag. The flags are \(all). Instructions that begin with `--` go after other words."
            )
        }
        guard seen.insert(name).inserted else {
            return Mistake(.badCommand, "`--\(name)` is given twice. Give it once.")
        }
        if name == "draft" {
            guard parts.count == 1 else {
                return Mistake(.badCommand, "`--draft` takes no value. Write `--draft` alone.")
            }
            command.isDraft = true
            return nil
        }
        guard let value = parts.count == 2 ? String(parts[1]) : words.next(), !value.isEmpty else {
            return Mistake(.badCommand, "`--\(name)` needs a value: `--\(name)=\(Self.example(name))`.")
        }
        return set(name, value, &command)
    }

    /// The flags, as help lists them.
    static let flags = ["priority", "model", "base", "timeout", "draft", "context"]
    /// Characters of a model's name at most.
    static let maximumModel = 100
    /// Bytes of a branch's name at most; git's own limit is the file system's 255.
    static let maximumBranch = 200

    private func set(_ name: String, _ value: String, _ command: inout RunCommand) -> Mistake? {
        func bad(_ wanted: String) -> Mistake {
            Mistake(.badCommand, "`--\(name)` cannot be \(Quoted(value)): it is \(wanted).")
        }
        switch name {
        case "priority":
            guard let priority = Priority(rawValue: value.lowercased()) else {
                return bad("`low`, `normal` or `high`")
            }
            command.priority = priority
        case "context":
            guard let context = ContextChoice(rawValue: value.lowercased()) else {
                return bad("`writers` or `all`")
            }
            command.context = context
        case "model":
            guard Self.isModel(value) else {
                return bad("a model's name of at most \(Self.maximumModel) letters, digits and `._:/@+-`")
            }
            command.model = value
        case "base":
            guard Self.isBranch(value) else { return bad("the name of a branch") }
            command.base = value
        default:
            guard let seconds = Self.seconds(value), seconds >= Self.minimumTimeout,
                seconds <= maximumTimeout
            else {
                return bad(
                    "a time such as `600s`, `10m` or `1h`, from \(Self.minimumTimeout)s to \(maximumTimeout)s"
                )
            }
            command.timeout = seconds
        }
        return nil
    }

    private static func example(_ name: String) -> String {
        switch name {
        case "priority": "high"
        case "model": "NAME"
        case "base": "BRANCH"
        case "timeout": "10m"
        default: "all"
        }
    }

    static func isModel(_ value: String) -> Bool {
        guard value.utf8.count <= maximumModel, let first = value.utf8.first, first != UInt8(ascii: "-")
        else { return false }
        return value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "._:/@+-".utf8.contains(byte)
            }
        }
    }

    /// Whether git takes the name for a branch.
    ///
    /// - SeeAlso: <https://git-scm.com/docs/git-check-ref-format>
    static func isBranch(_ value: String) -> Bool {
        // Bytes, as git sees them: to `String`, a letter with a mark on it is another letter.
        let bytes = Array(value.utf8)
        func holds(_ text: String) -> Bool { bytes.firstRange(of: text.utf8) != nil }
        guard let first = bytes.first, let last = bytes.last, bytes.count <= maximumBranch,
            !"-/".utf8.contains(first), !"/.".utf8.contains(last), value != "@", value != "HEAD",
            !holds(".."), !holds("//"), !holds("@{"),
            bytes.allSatisfy({ $0 > 32 && $0 != 127 && !"~^:?*[\\".utf8.contains($0) })
        else { return false }
        return bytes.split(separator: UInt8(ascii: "/")).allSatisfy {
            $0.first != UInt8(ascii: ".") && !$0.suffix(5).elementsEqual(".lock".utf8)
        }
    }

    /// Seconds of `600s`, `10m`, `1h`; nil for anything else.
    static func seconds(_ value: String) -> Int? {
        let factor: Int
        switch value.utf8.last {
        case UInt8(ascii: "s"): factor = 1
        case UInt8(ascii: "m"): factor = 60
        case UInt8(ascii: "h"): factor = 3600
        default: return nil
        }
        let digits = value.dropLast()
        guard !digits.isEmpty, digits.utf8.count <= 6,
            digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int(digits)
        else { return nil }
        return number * factor
    }
}

/// The rules of a command's flags, for whoever takes the same values in another form.
package enum FlagRules {
    /// Seconds of a time limit at least.
    package static var minimumTimeout: Int { CommandParser.minimumTimeout }

    /// Whether the text can be a model's name.
    package static func isModel(_ text: String) -> Bool { CommandParser.isModel(text) }

    /// Whether git takes the text for a branch's name.
    package static func isBranch(_ text: String) -> Bool { CommandParser.isBranch(text) }
}
