import PorterProcess
import Testing

@testable import PorterWorker

@Suite struct BoxTests {
    private func pairs(_ box: Box, _ option: String) -> [[String]] {
        let options = box.options
        return options.indices.filter { options[$0] == option }.map {
            Array(options[$0...].dropFirst().prefix(2))
        }
    }

    @Test func `the tree is the only thing that can be written`() {
        let box = Box(tree: "/ws/tree", hasNetwork: true)
        #expect(pairs(box, "--bind") == [["/ws/tree", Box.tree]])
    }

    @Test(arguments: [
        "/work/porter/.venv-agents/bin", "/workspace/agents", "/home/mona/agents", "/srv/agents",
    ])
    func `the tree hides no folder that agents are likely to lie in`(folder: String) {
        #expect(!folder.hasPrefix(Box.tree + "/"))
    }

    @Test func `a box without network has its own`() {
        #expect(Box(tree: "/t", hasNetwork: false).options.contains("--unshare-net"))
        #expect(!Box(tree: "/t", hasNetwork: true).options.contains("--unshare-net"))
    }

    @Test func `only a box with network learns how names are resolved`() {
        let closed = Box(tree: "/t", hasNetwork: false).options
        #expect(!closed.contains("/etc/resolv.conf"))
        #expect(Box(tree: "/t", hasNetwork: true).options.contains("/etc/resolv.conf"))
    }

    @Test func `every wall is there`() {
        let options = Box(tree: "/t", hasNetwork: true).options
        for wall in [
            "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--disable-userns",
            "--die-with-parent", "--new-session", "--clearenv",
        ] {
            #expect(options.contains(wall), "\(wall)")
        }
        #expect(pairs(Box(tree: "/t", hasNetwork: true), "--cap-drop").first?.first == "ALL")
    }

    @Test func `the environment travels among the options, never on the command line or in bwrap's own`() {
        var box = Box(tree: "/t", hasNetwork: true)
        box.environment = ["OPENAI_API_KEY": "sk-canary"]
        let command = box.command(["/bin/true"], options: 9, input: nil)
        #expect(!command.arguments.contains { $0.contains("sk-canary") })
        #expect(command.environment.isEmpty)
        #expect(pairs(box, "--setenv").contains(["OPENAI_API_KEY", "sk-canary"]))
    }

    @Test func `the operator's folders are searched first`() {
        var box = Box(tree: "/t", hasNetwork: true)
        box.searched = ["/opt/agents"]
        #expect(pairs(box, "--setenv").contains(["PATH", "/opt/agents:/usr/local/bin:/usr/bin:/bin"]))
    }

    @Test func `an agent's variable may replace the box's own`() {
        var box = Box(tree: "/t", hasNetwork: true)
        box.environment = ["HOME": "/elsewhere"]
        #expect(pairs(box, "--setenv").filter { $0.first == "HOME" } == [["HOME", "/elsewhere"]])
    }
}
