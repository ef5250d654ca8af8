import Glibc
import Porter
import PorterProcess
import PorterWork
import Synchronization

/// Asks GitHub now and then whether it still takes the App's credentials, for `/readyz`, as long as the program runs.
final class AppWatch: Sendable {
    /// Milliseconds between two questions while all is well.
    static let interval: Int32 = 600_000
    /// Milliseconds between two questions while the last answer was no.
    static let impatience: Int32 = 15_000

    private let world: Surroundings
    private let found = Mutex<String?>(nil)

    /// Begins to ask.
    init(_ world: Surroundings) {
        self.world = world
        Thread.start { self.run() }
    }

    /// Why GitHub refuses the credentials; nil while it does not.
    var problem: String? { found.withLock { $0 } }

    private func run() -> Never {
        while true {
            let news = ask()
            // An outage of GitHub says nothing about the credentials.
            if let news { found.withLock { $0 = news.problem } }
            let isWell = news != nil && news?.problem == nil
            poll(nil, 0, isWell ? Self.interval : Self.impatience)
        }
    }

    private struct News {
        let problem: String?
    }

    private func ask() -> News? {
        // Before set-up there is nothing to ask, and soon afterwards there is.
        guard world.app.isSetUp else { return nil }
        do throws(GitHubError) {
            _ = try world.github.app()
            return News(problem: nil)
        } catch {
            guard error.code == .unauthorized || error.code == .forbidden || error.code == .notFound else {
                return nil
            }
            return News(problem: "GitHub refuses the App's credentials: \(error.message)")
        }
    }
}
