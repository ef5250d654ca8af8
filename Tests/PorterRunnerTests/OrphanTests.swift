import Glibc
import PorterProcess
import PorterTestSupport
import Testing

@Suite struct OrphanTests {
    @Test func `orphans are adopted, killed and reaped, and others are let be`() throws {
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
        #expect(capture.isGood)
        #expect(eventually { HostProcesses.running("sleep \(number)").count >= 2 })

        #expect(Orphans.kill(atMost: .seconds(20)) { mine($0()) })

        #expect(HostProcesses.running("sleep \(number)").isEmpty)
    }

    @Test func `what cannot be got rid of in time is told`() {
        let nobody = Int32.max
        #expect(!Orphans.kill(atMost: .milliseconds(10)) { _ in [nobody] })
    }
}
