import Porter
import PorterBootstrap
import PorterSettings
import PorterStore
import PorterWork

// One pass over what others left, begun by a timer.

Program.watchdog.takeNoArguments(Array(CommandLine.arguments.dropFirst()))
let instance = Instance.start(.watchdog)
do throws(StoreError) {
    let report = try instance.work.pass()
    try instance.store.releaseOwnJobs()
    instance.journal.record(
        .info, "pass made",
        [
            "jobs": "\(report.jobs)", "given_up": "\(report.givenUp)",
            "destroyed": "\(report.destroyed)", "pruned": "\(report.pruned)",
        ])
    (report.givenUp > 0 ? ExitCode.failed : .done).leave()
} catch {
    Say.line("porter-watchdog: \(error)")
    ExitCode.tryAgain.leave()
}
