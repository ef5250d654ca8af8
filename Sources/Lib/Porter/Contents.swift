extension GitHub {
    /// Which page of a list is asked for.
    package enum Look: Hashable, Sendable {
        /// The first, unless the list is still the one of that `ETag`; an unchanged one costs no rate limit.
        case first(unless: String?)
        /// The one at that address, from ``Page/next``.
        case next(String)
    }

    /// A page of a list.
    ///
    /// - SeeAlso: <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate>
    package struct Page<Item: Sendable>: Sendable {
        /// What is on it; nothing when the list is unchanged.
        package var items: [Item]
        /// The address of the page after it; nil on the last.
        package var next: String?
        /// The list's `ETag`, for the next look at its first page.
        package var tag: String?
        /// Whether the list is still the one that the look knew.
        package var isUnchanged: Bool
        /// When GitHub answered, by its own clock; nil when it did not say.
        package var date: Instant?

        /// A page.
        package init(
            items: [Item], next: String?, tag: String? = nil, isUnchanged: Bool = false, date: Instant? = nil
        ) {
            self.items = items
            self.next = next
            self.tag = tag
            self.isUnchanged = isUnchanged
            self.date = date
        }

        /// What a list that has not changed is answered with.
        package static func unchanged(at date: Instant?) -> Page {
            Page(items: [], next: nil, isUnchanged: true, date: date)
        }
    }

    /// The lists of a repository that may hold commands, by time of their last change, oldest first.
    package enum ContentList: String, CaseIterable, Sendable {
        /// Issues and pull requests, whatever their state: `GET …/issues`.
        case issues
        /// Comments under issues and pull requests: `GET …/issues/comments`.
        case comments
        /// Comments on lines of pull requests: `GET …/pulls/comments`.
        case reviewComments = "review_comments"
    }

    /// A text that somebody wrote, as a list shows it.
    package struct Content: Hashable, Sendable {
        /// What it is, and GitHub's id of it.
        package var id: CommandID
        /// The number of its issue or pull request.
        package var issueNumber: Int
        /// Its page, for links.
        package var url: String
        /// Markdown as it stands there now.
        package var body: String
        /// Who wrote it; id 0 and `ghost` when the account is gone.
        package var author: Person
        /// `User`, `Bot`, `Organization`, `Mannequin`.
        package var authorType: String
        /// Whether it was written through an App.
        package var isByApp: Bool
        /// When it was written, by GitHub's clock.
        package var createdAt: Instant
        /// When it was last changed; an issue changes with each comment on it, too.
        package var updatedAt: Instant
        /// What else an issue's entry says; nil for texts that are no issues.
        package var issue: IssueFacts?

        /// A text.
        package init(
            id: CommandID, issueNumber: Int, url: String, body: String, author: Person,
            authorType: String = "User", isByApp: Bool = false, createdAt: Instant, updatedAt: Instant,
            issue: IssueFacts? = nil
        ) {
            self.id = id
            self.issueNumber = issueNumber
            self.url = url
            self.body = body
            self.author = author
            self.authorType = authorType
            self.isByApp = isByApp
            self.createdAt = createdAt
            self.updatedAt = updatedAt
            self.issue = issue
        }

        /// Whether its words are not those of the first moment, as far as GitHub tells.
        package var isEdited: Bool {
            switch id.source {
            case .comment, .reviewComment: updatedAt != createdAt
            // A list of issues or reviews has no time of an edit.
            case .opening, .review: false
            }
        }
    }

    /// What the list of issues says of one, beside its text.
    package struct IssueFacts: Hashable, Sendable {
        /// The title as it is now.
        package var title: String
        /// Whether the number belongs to a pull request.
        package var isPullRequest: Bool
        /// When it was closed; nil while it is open.
        package var closedAt: Instant?

        /// What it says.
        package init(title: String, isPullRequest: Bool, closedAt: Instant?) {
            self.title = title
            self.isPullRequest = isPullRequest
            self.closedAt = closedAt
        }
    }

    /// What a reaction is put under.
    package enum ReactionTarget: Hashable, Sendable {
        /// A comment under an issue or pull request, by its id.
        case comment(Int64)
        /// A comment on a line of a pull request, by its id.
        case reviewComment(Int64)
        /// The issue itself, by its number.
        case issue(Int)
    }
}
