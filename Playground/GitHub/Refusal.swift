import PlaygroundFace
import FoundationEssentials
import PorterHTTP

/// An answer that says no, in GitHub's words.
struct Refusal: Error {
    var status: Int
    var message: String
    var errors: [JSON]?
    var fields = Fields()
    /// Members beside the message.
    var more: JSON = [:]

    /// The answer.
    var response: Response {
        var body: JSON = [
            "message": .string(message), "documentation_url": "https://docs.github.com/rest",
            "status": .string(String(status)),
        ]
        if let errors { body = body + ["errors": .array(errors)] }
        var fields = fields
        fields["Content-Type"] = "application/json; charset=utf-8"
        return Response(status: status, fields: fields, body: (body + more).data)
    }

    static let badCredentials = Refusal(status: 401, message: "Bad credentials")
    static let notFound = Refusal(status: 404, message: "Not Found")
    static let issueDeleted = Refusal(status: 410, message: "This issue was deleted")
    static let issuesDisabled = Refusal(status: 410, message: "Issues has been disabled in this repository.")
    static let archived = Refusal(status: 403, message: "Repository was archived so is read-only.")
    static let emptyRepository = Refusal(status: 409, message: "Git Repository is empty.")

    /// The token lacks a permission.
    static func forbidden(_ needed: String) -> Refusal {
        Refusal(
            status: 403, message: "Resource not accessible by integration",
            fields: ["X-Accepted-GitHub-Permissions": needed])
    }

    /// The issue is locked.
    static func locked(_ what: String) -> Refusal {
        Refusal(status: 403, message: "Unable to \(what) because issue is locked.")
    }

    /// 422 with a sentence alone.
    static func unprocessable(_ message: String) -> Refusal {
        Refusal(status: 422, message: message)
    }

    /// 422 for a member of the body that has the wrong form.
    static func invalid(_ property: String, _ kind: String) -> Refusal {
        Refusal(
            status: 422, message: "Invalid request.\n\nFor 'properties/\(property)', it is not a \(kind).")
    }

    /// 422 for a member that is needed.
    static func missing(_ property: String) -> Refusal {
        Refusal(status: 422, message: "Invalid request.\n\n\"\(property)\" wasn't supplied.")
    }

    /// 422 with a list of one error.
    static func validation(
        _ resource: String, field: String? = nil, code: String = "custom", _ message: String? = nil
    ) -> Refusal {
        var error: JSON = ["resource": .string(resource), "code": .string(code)]
        if let field { error = error + ["field": .string(field)] }
        if let message { error = error + ["message": .string(message)] }
        return Refusal(status: 422, message: "Validation Failed", errors: [error])
    }
}
