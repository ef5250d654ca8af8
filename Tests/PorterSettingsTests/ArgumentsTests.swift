import Porter
import Testing

@testable import PorterSettings

@Suite struct ArgumentsTests {
    @Test func `programs and exit codes are the contract's`() {
        #expect(
            Program.allCases.map(\.rawValue)
                == ["porter-fcgi", "porter-watchdog", "porter-worker", "porter-runner", "porterctl"])
        let codes: [ExitCode] = [.done, .failed, .usage, .unavailable, .tryAgain, .configuration]
        #expect(codes.map(\.rawValue) == [0, 1, 64, 69, 75, 78])
    }

    @Test func `no argument is right`() {
        Program.fcgi.takeNoArguments([])
    }

    @Test func `an unknown argument ends with 64 and is named`() async {
        let result = await #expect(processExitsWith: .exitCode(64), observing: [\.standardErrorContent]) {
            Program.fcgi.takeNoArguments(["--bogus", "--help"])
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("porter-fcgi: it takes no argument \"--bogus --help\""))
    }

    @Test func `help and version are printed and end with 0`() async {
        let version = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            Program.watchdog.takeNoArguments(["--version"])
        }
        let versionText = String(decoding: version?.standardOutputContent ?? [], as: UTF8.self)
        #expect(versionText.contains("porter-watchdog \(Porter.version)"))
        let help = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            Program.runner.takeNoArguments(["-h"])
        }
        let helpText = String(decoding: help?.standardOutputContent ?? [], as: UTF8.self)
        #expect(helpText.contains("porter-runner: runs machines on this box"))
    }
}
