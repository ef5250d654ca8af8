import Porter

/// Lists, page by page, as GitHub gives them.
extension WorldGitHub.State {
    /// The page that the look asks for; addresses are numbers of entries.
    mutating func page<Item: Hashable & Sendable>(
        _ items: [Item], _ look: GitHub.Look, at now: Instant
    ) -> GitHub.Page<Item> {
        let tag = String(items.hashValue)
        var start = 0
        switch look {
        case .first(tag):
            unchanged += 1
            return .unchanged(at: now)
        case .first: break
        case .next(let address): start = Int(address) ?? 0
        }
        let rest = items.dropFirst(start)
        return GitHub.Page(
            items: Array(rest.prefix(pageSize)),
            next: rest.count > pageSize ? String(start + pageSize) : nil, tag: tag, date: now)
    }

    /// What has changed since the moment, the least recently changed first.
    func listed(_ list: GitHub.ContentList, since: Instant) -> [GitHub.Content] {
        let source: CommandSource =
            switch list {
            case .issues: .opening
            case .comments: .comment
            case .reviewComments: .reviewComment
            }
        return contents.filter { $0.id.source == source && $0.updatedAt.seconds >= since.seconds }
            .sorted { ($0.updatedAt, $0.id.number) < ($1.updatedAt, $1.id.number) }
    }

    /// Where reactions are kept: under the number of the command that they belong to.
    func key(of target: GitHub.ReactionTarget) -> Int64 {
        switch target {
        case .comment(let id): id
        case .reviewComment(let id): CommandID(.reviewComment, id).rawValue
        case .issue(let number):
            contents.first { $0.id.source == .opening && $0.issueNumber == number }?.id.rawValue ?? 0
        }
    }
}
