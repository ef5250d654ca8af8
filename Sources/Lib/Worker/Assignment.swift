import FoundationEssentials
import Porter

/// What a claim is answered: everything that a run needs (`public/openapi.json`, `claim`).
struct Assignment: Decodable, Sendable {
    struct Repository: Decodable, Sendable {
        let id: Int64
        let owner: String
        let name: String
        let clone_url: String
    }

    struct Agent: Decodable, Sendable {
        /// How the prompt reaches the program.
        enum HandOver: String, Decodable, Sendable {
            case stdin
            case file
        }

        let name: String
        let argv: [String]
        let prompt: HandOver
        let environment: [String: String]
    }

    struct Limits: Decodable, Sendable {
        let clone_s: Int
        let timeout_s: Int
        let stall_s: Int
        let save_s: Int
    }

    struct Author: Decodable, Sendable {
        let name: String
        let email: String
    }

    let task_id: String
    let attempt: Int
    let callback_token: String
    let repository: Repository
    let base_branch: String
    let branch: String
    let agent: Agent
    let prompt: String
    let limits: Limits
    let author: Author
    let co_author: String
    let credential: Credential
}

/// A credential for one repository's git.
struct Credential: Decodable, Sendable {
    let username: String
    let token: String
    let expires_at: String

    /// The header that git sends along.
    var header: String {
        "Authorization: Basic " + Data("\(username):\(token)".utf8).base64EncodedString()
    }
}
