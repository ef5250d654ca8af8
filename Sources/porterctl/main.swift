import Glibc
import Porter
import PorterBootstrap
import PorterSettings
import PorterStore
import PorterWork

// The operator's command.

let usage = """
    porterctl check        looks whether everything is right for the first command
    porterctl tasks        lists the newest tasks
    porterctl show TASK    shows a task and its history
    porterctl setup-url    prints the address of the set-up page, good once and for an hour
    porterctl rotate-keys  seals every stored secret anew with the first of PORTER_SECRET_KEYS
    porterctl audit [--since TIME] [--json]
                           prints who changed what; TIME as 2026-01-31T12:00:00Z, 12h or 7d
    """

func wrongCall(_ words: String) -> Never {
    Say.line("porterctl: \(words)\n\(usage)")
    ExitCode.usage.leave()
}

func check(_ instance: Instance) -> ExitCode {
    let findings = Checkup(instance).run()
    for finding in findings {
        print("\(finding.isGood ? "ok     " : "PROBLEM") \(finding.name): \(finding.words)")
    }
    return findings.allSatisfy(\.isGood) ? .done : .failed
}

func line(_ task: PorterTask) -> String {
    let words = [
        task.createdAt.iso8601, task.id.rawValue, task.state.rawValue, task.reason?.rawValue ?? "-",
        "\(task.repository.fullName)#\(task.issueNumber)", task.agent ?? "-", task.author.login,
    ]
    return words.joined(separator: "  ")
}

func show(_ id: TaskID, _ instance: Instance) throws(StoreError) -> ExitCode {
    guard let task = try instance.store.findTask(id) else {
        Say.line("porterctl: there is no task \(id.rawValue)")
        return .failed
    }
    print(line(task))
    for event in try instance.store.listEvents(id) {
        print("  \(event.at.iso8601)  attempt \(event.attempt)  \(event.kind)  \(event.detail ?? "")")
    }
    return .done
}

func printSetUpAddress(_ instance: Instance) throws(StoreError) -> ExitCode {
    guard let token = try instance.work.offerSetUp() else {
        Say.line("porterctl: Porter has a GitHub App already; there is nothing to set up")
        return .failed
    }
    token.reveal { print("\(instance.configuration.publicURL)/setup#token=\($0)") }
    return .done
}

/// Values that other programs seal meanwhile with a former key are found by another round.
let mostRounds = 5

func rotateKeys(_ instance: Instance) throws(StoreError) -> ExitCode {
    let sealer = instance.work.world.sealer
    var report = RotationReport()
    var rotated = 0
    for _ in 0..<mostRounds {
        report = try instance.store.rotateKeys(sealer)
        rotated += report.rotated
        if report.rotated == 0 { break }
    }
    print("\(rotated) values sealed anew with the key \(sealer.currentKey); \(report.current) are in all")
    for failure in report.failures { Say.line("porterctl: does not open: \(failure)") }
    guard report.failures.isEmpty, report.rotated == 0 else {
        Say.line(
            "porterctl: not everything is sealed with the new key: keep the former keys, mend it, run it again"
        )
        return .failed
    }
    print("every other key can be taken out of PORTER_SECRET_KEYS, once all programs run with the new one")
    return .done
}

let arguments = Array(CommandLine.arguments.dropFirst())
guard let command = arguments.first else { wrongCall("what should it do?") }
if arguments == ["--help"] || arguments == ["-h"] {
    print(usage)
    ExitCode.done.leave()
}
if arguments.count == 1, Program.ctl.takeCommonArgument(command) { ExitCode.done.leave() }
do throws(StoreError) {
    switch (command, arguments.count) {
    case ("check", 1):
        check(.start(.ctl)).leave()
    case ("tasks", 1):
        let instance = Instance.start(.ctl)
        for task in try instance.store.listTasks(TaskFilter(limit: 50)).tasks { print(line(task.task)) }
        ExitCode.done.leave()
    case ("show", 2):
        guard let id = TaskID(rawValue: arguments[1]) else { wrongCall("\(arguments[1]) is no task's id") }
        try show(id, .start(.ctl)).leave()
    case ("setup-url", 1):
        try printSetUpAddress(.start(.ctl)).leave()
    case ("rotate-keys", 1):
        try rotateKeys(.start(.ctl)).leave()
    case ("audit", _):
        try audit(arguments.dropFirst()).leave()
    case ("show", 1):
        wrongCall("show needs the id of a task")
    default:
        wrongCall("it knows no \"\(arguments.joined(separator: " "))\"")
    }
} catch {
    Say.line("porterctl: \(error)")
    ExitCode.tryAgain.leave()
}
