import FoundationEssentials
import Glibc
import PlaygroundFace
import PorterProcess
import PorterSettings

/// Fly's Machines API on loopback, with Fly's rules and its bad days.
///
/// Machines are run by a `porter-runner` behind it, or are hollow: they run nothing and change their state
/// only on command. It knows the calls that Porter makes, and `wait`; every other path is Fly's plain 404.
///
/// - `POST /_playground/faults` plans a bad day (``Fault``), `GET` lists what is still to come, `DELETE`
///   clears it.
/// - `POST /_playground/machines/{id}` `{"state", "exit_code"?, "oom_killed"?, "requested_stop"?, "error"?}`
///   changes a hollow machine; `GET /_playground/machines` shows all machines as they truly are.
/// - `GET /_playground/requests` lists what came and what it did.
package enum PlaygroundMachines {
    static let help = """
        usage: porter-playground machines --app NAME --token-file FILE (--runner SOCKET | --hollow)
                   [--port N] [--region CODE] [--capacity N] [--boot SECONDS] [--settle SECONDS]
                   [--rate-limit] [--log FILE]
        Fly's Machines API on 127.0.0.1, below /v1.
          --runner      machines are run by the porter-runner at this socket
          --hollow      machines run nothing and change only on command
          --capacity    live machines that the region has room for
          --boot        seconds for which a new machine is "created" (default 1; hollow 0)
          --settle      seconds for which a destroyed machine is "destroying" (default 1; hollow 0)
          --rate-limit  as Fly: 1 call a second an action and subject, 3 at once
          --log         one JSON line a request
        """

    /// Runs until SIGTERM or SIGINT.
    package static func main(_ arguments: [String]) -> Never {
        if arguments.contains("--help") {
            print(help)
            ExitCode.done.leave()
        }
        do throws(UsageError) {
            let options = try Options(
                arguments,
                valued: [
                    "app", "token-file", "runner", "port", "region", "capacity", "boot", "settle", "log",
                ], bare: ["hollow", "rate-limit"])
            let port = try options.number("port", within: 0...UInt16.max) ?? 0
            let fly = Fly(
                rules: try Rules(options), token: try token(in: try options.needed("token-file")),
                engine: try engine(options), clock: .live, log: try RecordLog(file: options["log"]))
            let face = Face(port: port, fly.answer)
            fly.onRefusal { seconds in
                PorterProcess.Thread.pause(Fly.lastWords)
                face.stop()
                PorterProcess.Thread.pause(seconds)
                do {
                    try face.start()
                } catch {
                    Say.line("porter-playground: \(error)")
                    ExitCode.unavailable.leave()
                }
            }
            face.run()
        } catch {
            error.leave(help: help)
        }
    }

    private static func engine(_ options: Options) throws(UsageError) -> Engine {
        switch (options["runner"], options.has("hollow")) {
        case (let socket?, false): return .runner(socket: socket)
        case (nil, true): return .hollow(HollowMachines())
        default: throw UsageError("one of --runner and --hollow is needed")
        }
    }

    private static func token(in file: String) throws(UsageError) -> String {
        guard let data = try? Data(contentsOf: URL(filePath: file)) else {
            throw UsageError("cannot read \(file)")
        }
        let token = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        guard !token.isEmpty else { throw UsageError("\(file) holds no token") }
        return String(token)
    }
}
