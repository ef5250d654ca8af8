import GRDB
package import Porter

extension Database {
    /// Keeps that the person signed in, under the login of now.
    package func savePerson(_ person: Person, at now: Instant) throws(StoreError) {
        try write("save person") { try $0.save(person, at: now) }
    }

    /// Forgets the person with sessions, tokens and rights; tasks and the record of changes stay.
    package func deletePerson(_ id: Int64) throws(StoreError) {
        try write("delete person") { try $0.run("DELETE FROM people WHERE id = ?", [id]) }
    }

    /// The person of that id, if they ever signed in.
    package func findPerson(_ id: Int64) throws(StoreError) -> Person? {
        try read("find person") { db in
            try String.fetchOne(db, sql: "SELECT login FROM people WHERE id = ?", arguments: [id])
                .map { Person(id: id, login: $0) }
        }
    }
}

extension Transaction {
    /// Keeps that the person signed in, under the login of now.
    func save(_ person: Person, at now: Instant) throws {
        try run(
            """
            INSERT INTO people (id, login, created_at, signed_in_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET login = excluded.login, signed_in_at = excluded.signed_in_at
            """, [person.id, person.login, now.milliseconds, now.milliseconds])
    }
}
