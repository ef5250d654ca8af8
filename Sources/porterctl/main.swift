import Glibc
import Porter
import PorterBootstrap
import PorterSettings
import PorterStore

// The operator's command.

let usage = """
    porterctl check        looks whether everything is right for the first command
    porterctl tasks        lists the newest tasks
    porterctl show TASK    shows a task and its history
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
        for task in try instance.store.listTasks(TaskFilter(limit: 50)) { print(line(task)) }
        ExitCode.done.leave()
    case ("show", 2):
        guard let id = TaskID(rawValue: arguments[1]) else { wrongCall("\(arguments[1]) is no task's id") }
        try show(id, .start(.ctl)).leave()
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
