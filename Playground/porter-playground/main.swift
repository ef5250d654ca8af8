import PlaygroundGitHub
import PlaygroundMachines
import PlaygroundModel
import PorterSettings

// Development only: the outside world on loopback, one face a process.

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "github": PlaygroundGitHub.main(Array(arguments.dropFirst()))
case "model": PlaygroundModel.main(Array(arguments.dropFirst()))
case "machines": PlaygroundMachines.main(Array(arguments.dropFirst()))
default: usage()
}

func usage() -> Never {
    Say.line("usage: porter-playground github|model|machines OPTIONS; each explains itself with --help")
    ExitCode.usage.leave()
}
