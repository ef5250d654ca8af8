import Porter

/// The parent's side of ``Remote``: does by name what the child called.
enum Served {
    private typealias Handler<Face> = @Sendable (Face, inout Reader, inout Writer) throws -> Void

    private static func operation<Face, each Argument: Wire, Result: Wire>(
        _ get: @escaping @Sendable (Face) -> (repeat each Argument) throws -> Result
    ) -> Handler<Face> {
        { face, reader, writer in
            let arguments = (repeat reader.get((each Argument).self))
            writer.put(try get(face)(repeat each arguments))
        }
    }

    private static func effect<Face, each Argument: Wire>(
        _ get: @escaping @Sendable (Face) -> (repeat each Argument) throws -> Void
    ) -> Handler<Face> {
        { face, reader, _ in
            let arguments = (repeat reader.get((each Argument).self))
            try get(face)(repeat each arguments)
        }
    }

    private static let gitHub: [String: Handler<GitHub>] = [
        "app": operation { $0.app }, "installation": operation { $0.installation },
        "installations": operation { $0.installations }, "repositories": operation { $0.repositories },
        "contents": operation { $0.contents }, "reviews": operation { $0.reviews },
        "deliveries": operation { $0.deliveries }, "delivery": operation { $0.delivery },
        "repository": operation { $0.repository }, "issue": operation { $0.issue },
        "permission": operation { $0.permission }, "comments": operation { $0.comments },
        "ownComments": operation { $0.ownComments }, "createComment": operation { $0.createComment },
        "updateComment": operation { $0.updateComment }, "deleteComment": effect { $0.deleteComment },
        "react": effect { $0.react }, "file": operation { $0.file },
        "branchHead": operation { $0.branchHead }, "compare": operation { $0.compare },
        "pullRequests": operation { $0.pullRequests },
        "createPullRequest": operation { $0.createPullRequest },
        "requestReview": effect { $0.requestReview }, "contentsToken": operation { $0.contentsToken },
        "revoke": effect { $0.revoke },
    ]

    private static let engine: [String: Handler<Machines>] = [
        "create": operation { $0.create }, "find": operation { $0.find }, "list": operation { $0.list },
        "destroy": effect { $0.destroy },
    ]

    /// Whether the call is one to the engine.
    static func isEngine(_ name: String) -> Bool { engine[name] != nil }

    /// Does the call and writes whether it went well, and what it came to.
    static func answer(
        _ name: String, _ arguments: [UInt8], _ github: GitHub, _ machines: Machines
    ) -> [UInt8] {
        var reader = Reader(arguments)
        var good = Writer()
        good.put(true)
        var bad = Writer()
        bad.put(false)
        do {
            if let handler = gitHub[name] {
                try handler(github, &reader, &good)
            } else if let handler = engine[name] {
                try handler(machines, &reader, &good)
            } else {
                preconditionFailure("nobody serves \(name)")
            }
            return good.bytes
        } catch let error as GitHubError {
            bad.put(error)
        } catch let error as MachinesError {
            bad.put(error)
        } catch {
            preconditionFailure("\(name): \(error)")
        }
        return bad.bytes
    }
}
