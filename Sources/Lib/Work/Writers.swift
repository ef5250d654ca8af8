import Porter
import PorterPrompt

extension Work {
    /// People whom GitHub is asked about for one prompt, at most; comments of others are not quoted.
    static var mostWriterLookups: Int { 30 }

    /// Who of the commenters can push: asked of GitHub, because an association is only a hint.
    ///
    /// Whom GitHub cannot be asked about counts as somebody who cannot. The asker is known already.
    func writers(
        among comments: [GitHub.Comment], for task: PorterTask, in repository: RepositoryRef
    ) -> Set<Int64> {
        var writers: Set<Int64> = [task.author.id]
        guard task.context != "all" else { return writers }
        let people = PromptBuilder.authors(
            of: comments, commandID: task.lastCommentID, commandedAt: task.createdAt)
        for person in people.filter({ $0.id != task.author.id }).prefix(Self.mostWriterLookups) {
            do throws(GitHubError) {
                let permission = try world.github.permission(repository, person.login)
                if permission.allowsPush(by: person) { writers.insert(person.id) }
            } catch {
                log(
                    .warning, "a commenter's permission is not known",
                    ["task.id": task.id.rawValue, "error": "\(error)"])
                // Whatever keeps GitHub from answering holds for the next question, too.
                guard [.notFound, .gone, .refused].contains(error.code) else { return writers }
            }
        }
        return writers
    }
}
