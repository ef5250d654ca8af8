import PlaygroundFace
import Foundation
import Glibc
import Porter
import PorterCrypto
import PorterGitHub
import PorterHTTP
import PorterProcess
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

/// The real program with its ports and files, ended when the value goes away.
final class GitHubProgram: Sendable {
    let folder: TemporaryFolder
    let origin: String
    private let child: Child

    init(webhookURL: String = "http://127.0.0.1:1/") throws {
        folder = try TemporaryFolder()
        try folder.write(GitHubScene.appKey, to: "app.pem")
        try folder.write(GitHubScene.secret + "\n", to: "secret")
        let output = folder.file("out")
        // The program's own output would need somebody to read it; a shell puts it into a file.
        let command = Command(
            "/bin/sh",
            [
                "-c", #"exec "$0" "$@" >"$OUT" 2>"$OUT.errors""#, try Programs.path("porter-playground"),
                "github", "--folder", folder.file("data"), "--app-key", folder.file("app.pem"),
                "--webhook-secret-file", folder.file("secret"), "--webhook-url", webhookURL,
            ], environment: ["PATH": "/usr/bin:/bin", "OUT": output])
        child = try command.start()
        var line = ""
        _ = eventually(within: 30) {
            line = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            return line.hasSuffix("\n")
        }
        origin = line.trimmed
        try #require(origin.hasPrefix("http://127.0.0.1:"))
    }

    deinit {
        child.signalGroup(SIGKILL)
        _ = child.watch(Child.Care(onOutput: { _, _ in }, onTick: {}))
    }

    /// Sends SIGTERM and waits for the end.
    func end(by signal: Int32) -> Int32? {
        child.signalGroup(signal)
        var status = siginfo_t()
        let hasEnded = eventually(within: 10) {
            waitid(P_PID, id_t(child.pid), &status, WEXITED | WNOWAIT | WNOHANG) == 0
                && status.si_signo == SIGCHLD
        }
        guard hasEnded else { return nil }
        return status.si_code == CLD_EXITED ? status._sifields._sigchld.si_status : -1
    }

    /// The App as Porter uses it, by the real client and transport.
    func github() throws -> GitHub {
        let signer = try RSASigner(pem: GitHubScene.appKey)
        return GitHub.live(
            transport: .curl(CurlOptions()), apiURL: origin + "/api/v3", appID: "101",
            sign: { try signer.sign($0) }, clock: .system)
    }

    static let hello = RepositoryRef(installationID: 31, id: 1_296_269, owner: "octo-team", name: "hello")

    /// A call of the control API.
    @discardableResult
    func control(_ method: String, _ path: String, _ body: JSON = [:]) throws -> JSON {
        let response = try Transport.curl(CurlOptions()).send(
            Request(method: method, target: "\(origin)/_playground/\(path)", body: body.data),
            Transport.Limits())
        #expect((200..<300).contains(response.status), "\(response.message ?? "")")
        return response.json
    }

    /// Real git, with a token or without.
    func git(_ script: String, token: String? = nil) throws -> Capture {
        var address = origin
        if let token { address = "http://x-access-token:\(token)@" + origin.dropFirst(7) }
        return try Command(
            "/bin/sh", ["-ec", script],
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": folder.path, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
                "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
                "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
                "URL": address + "/octo-team/hello.git", "BASE": address,
            ], directory: folder.path
        ).run(timeout: .seconds(60))
    }

    /// The effect log's lines of that kind.
    func effects(_ kind: String) throws -> [JSON] {
        let text = try String(contentsOfFile: folder.file("data/effects.jsonl"), encoding: .utf8)
        return text.split(separator: "\n").compactMap { JSON(Data($0.utf8)) }
            .filter { $0["kind"].string == kind }
    }
}
