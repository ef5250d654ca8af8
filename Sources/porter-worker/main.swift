import FoundationEssentials
import PorterSettings
import PorterWorker

// The supervisor inside a machine.

Worker.prepareProcess()
Program.worker.takeNoArguments(Array(CommandLine.arguments.dropFirst()))
Worker.main(ProcessInfo.processInfo.environment).leave()
