import Glibc
import Porter
import PorterMachines
import PorterTestSupport
import Testing

/// What the system lacks for a moment ends no runner.
@Suite struct ShortageTests {
    @Test func `a runner that has no descriptor for a connection serves those that come later`() throws {
        let runner = try RunnerProcess(
            worker: "sleep 60\n", prefix: ["/usr/bin/prlimit", "--nofile=160"])
        #expect(eventually { (try? runner.call("GET", ""))?.status == 200 }, "\(runner.words)")
        let machine = try runner.machines.create(RunnerProcess.plan("a"))

        let callers = (0..<200).map { _ in Self.connect(to: runner.folder.path + "/runner.sock") }
        defer { for caller in callers where caller >= 0 { close(caller) } }
        #expect(callers.count { $0 >= 0 } > 100)

        #expect(
            eventually {
                let answer = try? runner.call("GET", "/machines/\(machine.id)")
                return answer?.status == 200
            }, "it does not answer any more: \(runner.words)")
        #expect(try runner.machines.find(machine.id)?.isGone == false)
        #expect(!runner.hasEnded)
    }

    private static func connect(to path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return -1
    }
}
