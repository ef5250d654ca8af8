/// Where people write commands.
package enum CommandSource: Int64, CaseIterable, Sendable {
    /// A comment under an issue or pull request.
    case comment = 0
    /// The text with which an issue was opened.
    case opening = 1
    /// A comment on a line of a pull request.
    case reviewComment = 2
    /// A submitted review of a pull request.
    case review = 3
}

/// A command's name for life: where it was written, and GitHub's id of it there.
///
/// GitHub counts comments, issues, review comments and reviews apart, so that one number may mean four
/// texts. The database keeps one number: GitHub's own for a comment, and for the others with the source in
/// the bits from 2^56 on, which GitHub's ids will not reach (they stay below 2^53, where JSON's numbers end).
package struct CommandID: RawRepresentable, Hashable, Sendable {
    /// The one number that the database keeps.
    package let rawValue: Int64

    private static let shift: Int64 = 56

    /// Takes the number as the database keeps it; one of no known source counts as a comment's.
    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// Names a text by what it is and GitHub's id of it.
    package init(_ source: CommandSource, _ number: Int64) {
        rawValue = number | source.rawValue << Self.shift
    }

    /// Where it was written.
    package var source: CommandSource { CommandSource(rawValue: rawValue >> Self.shift) ?? .comment }

    /// GitHub's id of the text.
    package var number: Int64 {
        source == .comment ? rawValue : rawValue & ((1 << Self.shift) - 1)
    }

    /// How the marker of an answer names it: the id alone, or `issue-<id>`, `review-<id>`.
    package var marker: String {
        switch source {
        case .comment, .reviewComment: String(number)
        case .opening: "issue-\(number)"
        case .review: "review-\(number)"
        }
    }
}
