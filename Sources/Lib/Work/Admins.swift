package import Porter
package import PorterStore

extension Work {
    /// The mark that holds the id of the person who became admin by signing in first.
    package static var firstAdminMark: String { "admin.first" }

    /// Whether the person administers this Porter: `PORTER_ADMINS` names them, or, without it, they were the
    /// first to sign in with the installation of the App's owner.
    package func isAdmin(_ person: Person) throws(StoreError) -> Bool {
        if let admins = policy.admins { return try names(admins, person) }
        return try store.findMark(Self.firstAdminMark)?.value == String(person.id)
    }
}
