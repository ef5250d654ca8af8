import Porter
import PorterSettings
import Testing

@testable import PorterWorker

@Suite struct WorkerSettingsTests {
    private let good = [
        "PORTER_CALLBACK_URL": "https://porter.example.org/",
        "PORTER_TASK_ID": "task_01J0000000000000000000000A", "PORTER_CALLBACK_TOKEN": "t0ken",
    ]

    @Test func `the three variables of a machine are enough`() throws {
        let settings = try WorkerSettings.load(good)
        #expect(settings.callbackURL == "https://porter.example.org")
        #expect(settings.workspace == WorkerSettings.defaultWorkspace)
        #expect(settings.agentPath.isEmpty)
    }

    @Test func `all that is missing is told at once`() {
        let error = #expect(throws: ConfigurationErrors.self) { try WorkerSettings.load([:]) }
        #expect(error?.lines.count == 3)
        for name in good.keys { #expect(error?.lines.contains { $0.contains(name) } == true) }
    }

    @Test(arguments: [("PORTER_TASK_ID", "task_1"), ("PORTER_CALLBACK_URL", "ftp://host")])
    func `a value that cannot be is named`(name: String, value: String) {
        var environment = good
        environment[name] = value
        let error = #expect(throws: ConfigurationErrors.self) { try WorkerSettings.load(environment) }
        #expect(error?.lines.count == 1)
        #expect(error?.lines.first?.hasPrefix(name) == true)
    }

    @Test func `only absolute folders are searched for agents`() throws {
        var environment = good
        environment["PORTER_AGENT_PATH"] = "/opt/agents:relative::/usr/local/agents"
        let settings = try WorkerSettings.load(environment)
        #expect(settings.agentPath == ["/opt/agents", "/usr/local/agents"])
    }
}

@Suite struct SecretsTests {
    @Test func `keys are secrets, addresses and switches are not`() {
        let secrets = Inspection.secrets(of: [
            "OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "https://gateway", "AWS_REGION": "eu",
            "OPENCODE_CONFIG_CONTENT": "{}", "AMP_API_KEY": "amp-1",
        ])
        #expect(secrets == ["amp-1", "sk-1"])
    }
}

@Suite struct GitTests {
    @Test(arguments: [
        ("https://github.com/o/r.git", "https://github.com/"),
        ("http://127.0.0.1:8080/o/r.git", "http://127.0.0.1:8080/"),
        ("https://ghes.example.org:8443/o/r.git", "https://ghes.example.org:8443/"),
    ])
    func `a credential is meant for the remote's host alone`(url: String, origin: String) {
        #expect(Git.origin(of: url) == origin)
    }

    @Test func `a credential is one header`() {
        let credential = Credential(username: "x-access-token", token: "ghs_1", expires_at: "")
        #expect(credential.header == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzE=")
    }
}

@Suite struct PushTests {
    @Test(arguments: [
        (
            "! [remote rejected] a -> b (refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission)",
            Reason.pushRejectedWorkflow
        ),
        ("remote: error: GH006: Protected branch update failed for refs/heads/x.", .pushRejectedRule),
        ("remote: error: GH013: Repository rule violations found for refs/heads/x.", .pushRejectedRule),
        ("remote: error: GH001: Large files detected.", .tooLarge),
        ("! [rejected] a -> b (fetch first)", .pushRejected),
        ("fatal: unable to access: Could not resolve host", .pushRejected),
    ])
    func `the remote's words become a reason`(words: String, reason: Reason) {
        #expect(Push.reason(words) == reason)
    }
}
