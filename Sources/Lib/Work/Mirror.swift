import Porter
package import PorterStore

/// A copy of a person's settings in a private gist of theirs, for whoever wants one.
///
/// It is written by a job after each change, with the person's own token, and holds what ``Preference`` lists: keys
/// and tokens lie elsewhere and never come near it. Nothing reads it back, and nothing else waits for it.
extension Work {
    /// The setting that asks for it.
    package static let mirrorSetting = "gist_mirror"
    /// The gist's one file.
    static let mirrorFile = "porter-settings.json"
    /// Bytes of that file at most.
    ///
    /// Settings within their own limits make less than one of these 16 KiB.
    static var longestMirror: Int { 16_384 }

    /// What a change of the scope's settings makes necessary.
    package static func mirrorWish(_ scope: SettingsScope) -> SettingsWish? {
        guard case .person(let id) = scope else { return nil }
        return SettingsWish(.mirror, for: Database.subject(ofPerson: id), while: mirrorSetting)
    }

    /// The line by which Porter knows its own gist among a person's: of this instance, and of no other.
    var mirrorDescription: String { "Porter's settings at \(policy.publicURL), without keys" }

    /// Makes the gist say what the person's settings say.
    func mirror(_ claim: JobClaim) throws -> JobOutcome {
        guard let id = Int64(claim.subject.dropFirst("person:".count)), try store.findPerson(id) != nil else {
            return .done
        }
        let settings = Preferences(try store.listSettings(scope: SettingsScope.person(id).name))
        guard settings.flag(Self.mirrorSetting) == true else { return .done }
        let text = mirrorText(settings, of: id)
        guard text.utf8.count <= Self.longestMirror else {
            try store.failMirror(person: id, trouble: MirrorTrouble.tooLarge.rawValue, for: claim, at: now)
            return .done
        }
        do {
            let draft = UserGitHub.GistDraft(
                description: mirrorDescription, file: Self.mirrorFile, text: text)
            let gist = try write(draft, as: id, claim)
            try store.saveMirror(person: id, url: gist.url, for: claim, at: now)
        } catch {
            guard let trouble = MirrorTrouble(error) else { throw error }
            try store.failMirror(person: id, trouble: trouble.rawValue, for: claim, at: now)
            guard trouble.isFinal else { throw error }
            log(.notice, "settings not mirrored", ["person": "\(id)", "error": "\(error)"])
        }
        return .done
    }

    /// What is kept when the last try has failed: it is not tried again by itself.
    func giveUpMirror(_ claim: JobClaim) throws(StoreError) {
        guard let id = Int64(claim.subject.dropFirst("person:".count)) else { return }
        try store.failMirror(person: id, trouble: MirrorTrouble.givenUp.rawValue, for: claim, at: now)
    }

    /// The file: the settings that are set, by name.
    ///
    /// Nobody stores a key as a setting; whoever does all the same does not find it in a gist.
    func mirrorText(_ settings: Preferences, of person: Int64) -> String {
        let lines = Preference.all(longestTimeout: policy.limits.taskMaximum)
            .filter { $0.levels.contains(.person) }
            .compactMap { preference in
                settings.values[preference.name].map { "    \"\(preference.name)\": \($0)" }
            }
        let text = """
            {
              "porter": \(JSONText.encoded(policy.publicURL)),
              "settings": {
            \(lines.joined(separator: ",\n"))
              }
            }

            """
        return world.redactor.redact(text, about: person)
    }

    /// Finds the gist or makes it, once, and edits it where it differs.
    private func write(
        _ draft: UserGitHub.GistDraft, as person: Int64, _ claim: JobClaim
    ) throws -> UserGitHub.Gist {
        let key = "\(claim.subject)/gist.create"
        if let known = try store.findStep(key)?.outcome {
            if let gist = try ownGist(known, of: person) {
                return try edit(gist, to: draft, as: person, claim)
            }
            // It was deleted or made public, which is the person's to do: the next one is a new one.
            try store.forgetStep(key, for: claim)
        }
        // What this turn has seen of the gist, so that it is not asked for twice.
        var seen: UserGitHub.Gist?
        let find: () throws -> String? = {
            seen = try self.mirrorGist(of: person)
            return seen?.id
        }
        let (id, _) = try perform(key, task: nil, for: claim, find: find) {
            // One of an earlier time, which this database does not know of, is as good as a new one.
            if let earlier = try find() { return earlier }
            let made = try asPerson(person) { (token) throws(GitHubError) in
                try world.users.gists.create(token, draft)
            }
            seen = made
            return made.id
        }
        if let seen, seen.files[draft.file] != nil { return try edit(seen, to: draft, as: person, claim) }
        let gist = try asPerson(person) { (token) throws(GitHubError) in
            try world.users.gists.show(token, id)
        }
        return try edit(gist, to: draft, as: person, claim)
    }

    /// The gist of that id with what is in it, as long as it is there and private.
    private func ownGist(_ id: String, of person: Int64) throws -> UserGitHub.Gist? {
        do {
            let gist = try asPerson(person) { (token) throws(GitHubError) in
                try world.users.gists.show(token, id)
            }
            return gist.isPublic ? nil : gist
        } catch let error as GitHubError where [.notFound, .gone].contains(error.code) {
            return nil
        }
    }

    /// The oldest private gist of the person's with our line; what others wrote is in no list of theirs.
    private func mirrorGist(of person: Int64) throws -> UserGitHub.Gist? {
        let gists = try asPerson(person) { (token) throws(GitHubError) in
            try world.users.gists.list(token)
        }
        return gists.last { $0.description == mirrorDescription && !$0.isPublic }
    }

    /// Edits are of one nature: the same text twice is the same gist.
    private func edit(
        _ gist: UserGitHub.Gist, to draft: UserGitHub.GistDraft, as person: Int64, _ claim: JobClaim
    ) throws -> UserGitHub.Gist {
        let key = "\(claim.subject)/gist.edit"
        guard
            try gist.files[draft.file] != draft.text || gist.description != draft.description
                || isUncertain(key)
        else { return gist }
        var edited = gist
        try performInTurn(key, task: nil, for: claim) {
            try asPerson(person) { (token) throws(GitHubError) in
                try world.users.gists.edit(token, gist.id, draft)
            }
        } keep: {
            edited = $0
        }
        return edited
    }
}
