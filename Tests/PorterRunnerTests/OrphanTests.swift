import Glibc
import PorterProcess
import PorterTestSupport
import Testing

@Suite struct OrphanTests {
    // In a process of its own: as a parent of everybody's orphans, which nobody else reaps, the tests' process would
    // never come to the endings that its library waits for.
    @Test func `orphans are adopted, killed and reaped, and others are let be`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            Orphans.adopt()
            let number = "3\(UInt32.random(in: 0 ... .max))"
            func mine(_ children: [Int32]) -> [Int32] {
                children.filter { HostProcesses.commandLine($0).contains("sleep \(number)") }
            }
            // The shell leaves when the other session is there.
            let inner = "sleep \(number) & echo begun; exec sleep \(number)"
            let script = "{ setsid sh -c '\(inner)' & } | { read word; }"
            let capture = try Command("/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"])
                .run(timeout: .seconds(20))
            guard capture.isGood else { exit(1) }
            guard eventually({ HostProcesses.running("sleep \(number)").count >= 2 }) else { exit(2) }

            guard Orphans.kill(atMost: .seconds(20), choose: { mine($0()) }) else { exit(3) }

            exit(HostProcesses.running("sleep \(number)").isEmpty ? 0 : 4)
        }
    }

    @Test func `what cannot be got rid of in time is told`() {
        let nobody = Int32.max
        #expect(!Orphans.kill(atMost: .milliseconds(10)) { _ in [nobody] })
    }
}
