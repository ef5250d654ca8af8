/// A task's name for life: `task_` and a ULID of 26 characters.
///
/// The ULID (Crockford's base 32, upper case) begins with the time, so that ids sort by creation.
///
/// - SeeAlso: <https://github.com/ulid/spec>
package struct TaskID: RawRepresentable, Hashable, Comparable, Sendable {
    /// The whole text, `task_` included.
    package let rawValue: String

    /// Accepts exactly `task_` and 26 characters of Crockford's alphabet, the first at most `7`.
    package init?(rawValue: String) {
        let bytes = Array(rawValue.utf8)
        guard bytes.count == 31, rawValue.hasPrefix("task_"), bytes[5] <= UInt8(ascii: "7"),
            bytes[5...].allSatisfy({ Self.alphabet.contains($0) })
        else { return nil }
        self.rawValue = rawValue
    }

    /// A fresh id from a moment and ten random bytes.
    package init(at moment: Instant, random: [UInt8]) {
        precondition(random.count == 10, "a ULID takes ten random bytes")
        var bytes: [UInt8] = Array("task_".utf8)
        let time = UInt64(max(0, moment.milliseconds)) & 0xFFFF_FFFF_FFFF
        for shift in stride(from: 45, through: 0, by: -5) {
            bytes.append(Self.alphabet[Int(time >> UInt64(shift)) & 31])
        }
        var bits: UInt32 = 0
        var held = 0
        for byte in random {
            bits = bits << 8 | UInt32(byte)
            held += 8
            while held >= 5 {
                held -= 5
                bytes.append(Self.alphabet[Int(bits >> UInt32(held)) & 31])
            }
        }
        rawValue = String(decoding: bytes, as: UTF8.self)
    }

    /// A fresh id from the surroundings.
    package static func make(at moment: Instant, entropy: Entropy) -> TaskID {
        TaskID(at: moment, random: entropy.bytes(10))
    }

    /// The branch that a new task works on: `porter/<task id>`.
    package var branch: String { "porter/" + rawValue }

    /// The name of the machine of one attempt: `porter-<task id>-<attempt>`, lower case, `_` as `-`.
    package func machineName(attempt: Int) -> String {
        let lowered = rawValue.lowercased().map { $0 == "_" ? "-" : $0 }
        return "porter-\(String(lowered))-\(attempt)"
    }

    /// The marker that ends one of the task's comments.
    package func marker(_ kind: CommentKind) -> String {
        "<!-- porter:\(rawValue):\(kind.rawValue) -->"
    }

    /// Sorts by text, which is by creation.
    package static func < (left: TaskID, right: TaskID) -> Bool {
        left.rawValue < right.rawValue
    }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}

/// The two comments that a task has on its issue.
package enum CommentKind: String, Sendable {
    /// The one that is edited through the phases.
    case status
    /// The one that is posted once, at the end.
    case ending
}

/// Where a repository is: GitHub's numeric ids, which stay, and its name, which may change.
package struct RepositoryRef: Hashable, Sendable {
    /// The App's installation that reaches the repository.
    package var installationID: Int64
    /// GitHub's id of the repository.
    package var id: Int64
    /// The owner's login, for addresses and display.
    package var owner: String
    /// The repository's name, for addresses and display.
    package var name: String

    /// Names a repository.
    package init(installationID: Int64, id: Int64, owner: String, name: String) {
        self.installationID = installationID
        self.id = id
        self.owner = owner
        self.name = name
    }

    /// `owner/name`.
    package var fullName: String { owner + "/" + name }
}

/// A person on GitHub: the numeric id counts, the login is for display and mentions.
package struct Person: Hashable, Sendable {
    /// GitHub's id.
    package var id: Int64
    /// The login as it was last seen.
    package var login: String

    /// Names a person.
    package init(id: Int64, login: String) {
        self.id = id
        self.login = login
    }
}

/// Names a session in lists and in the record of changes; it opens nothing.
///
/// What opens it is the cookie's value, which is stored as a digest only.
package struct SessionID: RawRepresentable, Hashable, Sendable {
    /// 32 hexadecimal digits.
    package let rawValue: String

    /// Accepts exactly 32 hexadecimal digits, lower case.
    package init?(rawValue: String) {
        let isDigits = rawValue.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        guard isDigits, rawValue.utf8.count == 32 else { return nil }
        self.rawValue = rawValue
    }

    /// A fresh id.
    package init(entropy: Entropy) {
        rawValue = entropy.bytes(16).hexadecimal
    }
}
