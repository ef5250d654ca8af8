import GRDB
package import Porter

/// What is known of the gist into which a person's settings are copied.
package struct MirrorRecord: Hashable, Sendable {
    /// The gist's page; nil before there is one.
    package let url: String?
    /// When it was last made to say what the settings say.
    package let writtenAt: Instant?
    /// Why the last try did not succeed, a word that the rules choose; nil when it did.
    package let trouble: String?
    /// When that was.
    package let triedAt: Instant
}

extension Database {
    /// What is known of the person's gist; nil when nobody ever tried to write one.
    package func findMirror(_ person: Int64) throws(StoreError) -> MirrorRecord? {
        try read("find mirror") { db in
            try Row.fetchOne(
                db, sql: "SELECT url, written_at, trouble, tried_at FROM mirrors WHERE person_id = ?",
                arguments: [person]
            ).map {
                MirrorRecord(
                    url: $0["url"], writtenAt: ($0["written_at"] as Int64?).map(Instant.init(milliseconds:)),
                    trouble: $0["trouble"], triedAt: Instant(milliseconds: $0["tried_at"]))
            }
        }
    }

    /// Keeps that the gist says what the settings say.
    package func saveMirror(
        person: Int64, url: String, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("save mirror", for: claim) { transaction in
            try transaction.run(
                """
                INSERT INTO mirrors (person_id, url, written_at, tried_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (person_id) DO UPDATE SET url = excluded.url,
                    written_at = excluded.written_at, trouble = NULL, tried_at = excluded.tried_at
                """, [person, url, now.milliseconds, now.milliseconds])
        }
    }

    /// Keeps why the gist does not say it.
    package func failMirror(
        person: Int64, trouble: String, for claim: JobClaim, at now: Instant
    ) throws(StoreError) {
        try write("fail mirror", for: claim) { transaction in
            try transaction.run(
                """
                INSERT INTO mirrors (person_id, trouble, tried_at) VALUES (?, ?, ?)
                ON CONFLICT (person_id) DO UPDATE SET trouble = excluded.trouble, tried_at = excluded.tried_at
                """, [person, trouble, now.milliseconds])
        }
    }

    /// Whether the person's job of that kind waits or is worked on.
    package func hasJob(_ kind: JobKind, ofPerson id: Int64) throws(StoreError) -> Bool {
        try read("look for a person's job") { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE subject = ? AND kind = ?)"),
                arguments: [Self.subject(ofPerson: id), kind.rawValue])
        } ?? false
    }
}
