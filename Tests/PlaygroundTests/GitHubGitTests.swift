import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterProcess
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

/// Real git against the real program.
@Suite struct GitHubGitTests {
    private let program: GitHubProgram
    private let github: GitHub

    init() throws {
        program = try GitHubProgram()
        github = try program.github()
    }

    private func token(_ access: GitHub.Access) throws -> String {
        try github.contentsToken(GitHubProgram.hello, access).secret.reveal { $0 }
    }

    private func errors(_ capture: Capture) -> String { String(decoding: capture.errors, as: UTF8.self) }

    private let commit =
        "git clone -q $URL c; cd c; git checkout -q -b work; echo x > x; git add x; git commit -q -m x"

    @Test func `a token to read clones and does not push`() throws {
        let read = try token(.read)
        let cloned = try program.git(commit + "; git log --format=%s; git push -q origin work", token: read)
        #expect(cloned.text == "x\nAdd a test, and a word to agents\nSay hello to the world")
        #expect(!cloned.isGood)
        #expect(errors(cloned).contains("Permission to octo-team/hello.git denied to porter-dev[bot]"))
        #expect(errors(cloned).contains("403"))
        #expect(try program.effects("git.push").isEmpty)
        #expect(try program.effects("git.fetch").count == 1)
    }

    @Test func `a token to write pushes, and the log names the token`() throws {
        let write = try token(.write)
        let pushed = try program.git(commit + "; git push -q origin work; git rev-parse work", token: write)
        #expect(pushed.isGood, "\(errors(pushed))")
        #expect(try github.branchHead(GitHubProgram.hello, "work") == pushed.text)
        let effect = try #require(try program.effects("git.push").first)
        #expect(effect["ref"].string == "refs/heads/work")
        #expect(effect["new"].string == pushed.text)
        #expect(effect["accepted"] == true)
        #expect(effect["token"] == (try program.effects("token.created").first?["token"]))
    }

    @Test func `nobody, a wrong token and a revoked one get nothing`() throws {
        let token = try token(.write)
        #expect(try program.git("git ls-remote -q $URL", token: token).isGood)
        try github.revoke(Secret(token))
        for credential in [nil, "ghs_wrong", token] {
            let refused = try program.git("git ls-remote -q $URL", token: credential)
            #expect(!refused.isGood)
            #expect(refused.output.isEmpty)
        }
        let answer = try Transport.curl(CurlOptions()).send(
            Request(
                method: "GET",
                target: program.origin + "/octo-team/hello.git/info/refs?service=git-upload-pack"),
            Transport.Limits())
        #expect(answer.status == 401)
        #expect(answer.fields["WWW-Authenticate"] == "Basic realm=\"GitHub\"")
    }

    @Test func `a token for issues alone does not read a private repository`() throws {
        let secret = try #require(try issueToken())
        let refused = try program.git("git ls-remote -q $URL", token: secret)
        #expect(errors(refused).contains("403"))
    }

    @Test func `another repository is not found`() throws {
        let refused = try program.git("git ls-remote -q $BASE/other-org/else.git", token: try token(.write))
        #expect(errors(refused).contains("not found"))
    }

    @Test func `a protected branch is refused in GitHub's words`() throws {
        try program.control("PATCH", "repositories/octo-team/hello", ["protected": ["main"]])
        let refused = try program.git(commit + "; git push -q origin work:main", token: try token(.write))
        #expect(
            errors(refused).contains(
                "remote: error: GH006: Protected branch update failed for refs/heads/main."))
        #expect(errors(refused).contains("(protected branch hook declined)"))
        #expect(try program.effects("git.push").first?["accepted"] == false)
        #expect(try program.git("git -C c push -q origin work", token: try token(.write)).isGood)
    }

    @Test func `a workflow is refused in GitHub's words`() throws {
        let script =
            commit + """
                ; mkdir -p .github/workflows; echo 'on: push' > '.github/workflows/a b.yml'; git add .
                git commit -q -m w; git rm -q .github -r; git commit -q -m gone; git push -q origin work
                """
        let refused = try program.git(script, token: try token(.write))
        #expect(
            errors(refused).contains(
                """
                (refusing to allow a GitHub App to create or update workflow `.github/workflows/a b.yml` \
                without `workflows` permission)
                """))
    }

    @Test func `a file over 100 MB is refused, one of a few MB is taken`() throws {
        let write = try token(.write)
        let good = try program.git(
            commit
                + "; head -c 3000000 /dev/urandom > big; git add .; git commit -q -m big; git push -q origin work",
            token: write)
        #expect(good.isGood, "\(errors(good))")
        let refused = try program.git(
            "cd c; truncate -s 104857601 huge; git add .; git commit -q -m huge; git push -q origin work",
            token: write)
        #expect(errors(refused).contains("GH001: Large files detected."))
    }

    @Test func `a push to a pull request's branch moves the pull request`() throws {
        let write = try token(.write)
        #expect(try program.git(commit + "; git push -q origin work", token: write).isGood)
        let draft = GitHub.PullRequestDraft(title: "t", body: "", head: "work", base: "main", isDraft: false)
        let pull = try github.createPullRequest(GitHubProgram.hello, draft)
        let more = try program.git(
            "cd c; echo y > y; git add y; git commit -q -m y; git push -q origin work; git rev-parse HEAD",
            token: write)
        let found = try #require(try github.pullRequests(GitHubProgram.hello, "work").first)
        #expect(found.number == pull.number)
        #expect(found.headSHA == more.text)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `the program ends with 0 when it is asked to`(signal: Int32) throws {
        #expect(program.end(by: signal) == 0)
    }

    private func issueToken() throws -> String? {
        let scene = try GitHubScene()
        scene.time.advance(seconds: Int(Clock.system.now().seconds - scene.time.now.seconds))
        let response = try Transport.curl(CurlOptions()).send(
            Request(
                method: "POST", target: program.origin + "/api/v3/app/installations/31/access_tokens",
                fields: [
                    "User-Agent": "tests", "Authorization": "Bearer \(try scene.webToken())",
                    "Content-Type": "application/json",
                ], body: JSON(dictionaryLiteral: ("permissions", ["issues": "write"])).data),
            Transport.Limits())
        return response.json["token"].string
    }
}
