import PlaygroundFace
import PorterSettings

/// A scripted model: what agent CLIs reach instead of OpenAI's or Anthropic's servers.
///
/// It speaks the Responses API (codex) and the Messages API (claude), streamed, well enough for the real
/// programs to run a whole tool-using turn: the first call is answered with one shell command, the call that
/// brings its result with a final text. Measured with codex 0.163.0 and claude 2.1.330.
///
/// `POST /_playground/script` changes what follows, `GET /_playground/requests` lists what came.
package enum PlaygroundModel {
    static let help = """
        usage: porter-playground model --key KEY [--port N] [--command SHELL] [--final TEXT]
                   [--status N | --fault quota|context] [--delay SECONDS] [--log FILE]
        A model for agent CLIs on 127.0.0.1. It asks for one shell command, then says the final text.
          --key      what callers must bring; another key gets 401
          --command  what the agent is asked to run; by default it writes and runs a greeting program
          --final    what the model says at the end; by default what the command's result supports
          --status   every call fails with this status (400 to 599)
          --fault    every call fails as at a used-up account, or with a prompt that is too long
          --delay    seconds before each answer
          --log      one JSON line a request
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
                valued: ["port", "key", "command", "final", "status", "fault", "delay", "log"])
            let port = try options.number("port", within: 0...UInt16.max) ?? 0
            let model = Model(
                key: try options.needed("key"), script: try Script(options),
                log: try RecordLog(file: options["log"]))
            Face(port: port, model.answer).run()
        } catch {
            error.leave(help: help)
        }
    }
}
