import Glibc
import PlaygroundFace
import PorterHTTP
import PorterServer
import PorterSettings

/// A strict stand-in for GitHub on loopback, for development and tests; never packaged.
///
/// ``World`` holds what this GitHub knows, ``RestAPI`` answers Porter, ``GitBackend`` serves the repositories,
/// ``Sender`` delivers webhooks, ``Control`` is how tests act as people and break things, and ``Pages`` is for
/// a person with a browser.
package enum PlaygroundGitHub {
    /// Runs until SIGTERM or SIGINT.
    package static func main(_ arguments: [String]) -> Never {
        if arguments.contains("--help") || arguments.contains("-h") {
            print(Options.help)
            ExitCode.done.leave()
        }
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
        let options: Options
        do {
            options = try Options.read(arguments)
        } catch {
            error.leave(help: Options.help)
        }
        do {
            let running = try Running(try World(options))
            print(running.origin)
            fflush(nil)
            var number: Int32 = 0
            while sigwait(&signals, &number) != 0 {}
            running.stop()
            ExitCode.done.leave()
        } catch {
            Say.line("porter-playground: \(error)")
            ExitCode.unavailable.leave()
        }
    }
}

/// A world that answers at an address.
struct Running {
    let world: World
    let origin: String
    private let server: Server

    /// Begins to answer.
    init(_ world: World) throws(SetupError) {
        self.world = world
        let site = Site(world: world)
        server = Server(at: .loopback(port: world.options.port)) { site.answer($0) }
        do {
            let origin = "http://127.0.0.1:\(try server.start())"
            self.origin = origin
            world.with { $0.origin = origin }
        } catch {
            throw SetupError(error.description)
        }
    }

    /// Stops answering.
    func stop() {
        server.stop(atMost: 1)
        world.sender.stop()
    }
}
