import FoundationEssentials
import PorterRunner
import PorterSettings

// The local engine.

Runner.prepareProcess()
Program.runner.takeNoArguments(Array(CommandLine.arguments.dropFirst()))
Runner.main(ProcessInfo.processInfo.environment).leave()
