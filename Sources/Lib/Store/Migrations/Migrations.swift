import GRDB

/// The schema's history: append-only, one file each, named by date and purpose.
///
/// Instants are Unix milliseconds in `INTEGER` columns named `…_at`; ids of people, repositories and
/// installations are GitHub's numeric ones; tokens rest as SHA-256 digests, secrets sealed.
enum Migrations {
    /// The migrator that knows every step up to this version.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("2026-11-24 spine", migrate: createSpine)
        migrator.registerMigration("2026-11-26 sweeps", migrate: createSweeps)
        migrator.registerMigration("2026-11-26 people", migrate: createPeople)
        migrator.registerMigration("2026-11-26 retention", migrate: indexRetention)
        migrator.registerMigration("2026-11-26 settings", migrate: createSettings)
        migrator.registerMigration("2026-11-26 turns", migrate: createTurns)
        migrator.registerMigration("2026-11-27 checks", migrate: simplifyChecks)
        migrator.registerMigration("2026-11-27 lost answers", migrate: addLostAnswers)
        migrator.registerMigration("2026-11-27 apps", migrate: nameApps)
        migrator.registerMigration("2026-11-27 issues", migrate: indexIssues)
        migrator.registerMigration("2026-11-27 mirrors", migrate: createMirrors)
        migrator.registerMigration("2026-11-27 unreadable", migrate: countUnreadable)
        migrator.registerMigration("2026-11-28 way in", migrate: easeWayIn)
        return migrator
    }
}
