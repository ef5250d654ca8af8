import Glibc
import Porter
import PorterProcess
import PorterWork
import Synchronization

/// Asks GitHub now and then whether it still takes the App's credentials, for `/readyz`, as long as the program runs.
///
/// Each answer also tells whose the App is now, and so whose deliveries are none of ours.
final class AppWatch: Sendable {
    /// Milliseconds between two questions while all is well.
    static let interval: Int32 = 60_000
    /// Milliseconds between two questions while the last answer was no.
    static let impatience: Int32 = 15_000

    private let work: Work
    private let found = Mutex<String?>(nil)

    /// Begins to ask.
    init(_ work: Work) {
        self.work = work
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
        guard work.world.app.isSetUp else { return nil }
        do throws(GitHubError) {
            let app = try work.world.github.app()
            // Whoever needs it asks again.
            try? work.learnOwner(app)
            return News(problem: nil)
        } catch {
            guard error.code == .unauthorized || error.code == .forbidden || error.code == .notFound else {
                return nil
            }
            return News(problem: "GitHub refuses the App's credentials: \(error.message)")
        }
    }
}
