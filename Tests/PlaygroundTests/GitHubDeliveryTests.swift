import PlaygroundFace
import Foundation
import Porter
import PorterGitHub
import PorterHTTP
import PorterTestSupport
import Synchronization
import Testing

@testable import PlaygroundGitHub

@Suite struct GitHubDeliveryTests {
    private let scene: GitHubScene

    init() throws {
        scene = try GitHubScene()
    }

    private func say(_ more: JSON = [:]) -> JSON {
        scene.control(
            "POST", "comments",
            ["repository": "octo-team/hello", "issue": 1, "author": "mona", "body": "hi", "wait": true] + more
        ).json
    }

    @Test func `a delivery is signed and bears GitHub's fields`() throws {
        let guid = say()["delivery"]["guid"].string
        let sent = try #require(try scene.deliveries(1).first)
        #expect(sent.target == "http://127.0.0.1:2/hook")
        #expect(
            WebhookSignature.isValid(
                sent.fields["X-Hub-Signature-256"], body: sent.body, secret: Secret(GitHubScene.secret)))
        #expect(sent.fields["X-GitHub-Event"] == "issue_comment")
        #expect(sent.fields["X-GitHub-Delivery"] == guid)
        #expect(sent.fields["X-GitHub-Hook-ID"] == "5001")
        #expect(sent.fields["X-GitHub-Hook-Installation-Target-Type"] == "integration")
        #expect(sent.fields["X-GitHub-Hook-Installation-Target-ID"] == "101")
        #expect(sent.fields["User-Agent"]?.hasPrefix("GitHub-Hookshot/") == true)
        #expect(sent.fields["Content-Type"] == "application/json")
    }

    @Test func `a payload carries who, where and by which installation`() throws {
        _ = say()
        let payload = try #require(try scene.deliveries(1).first.flatMap { JSON($0.body) })
        #expect(payload["action"].string == "created")
        #expect(payload["comment"]["body"].string == "hi")
        #expect(payload["issue"]["number"] == 1)
        #expect(payload["repository"]["id"] == 1_296_269)
        #expect(payload["sender"]["login"].string == "mona")
        #expect(payload["organization"]["id"] == 9919)
        #expect(payload["installation"]["id"] == 31)
        #expect(payload["installation"]["node_id"].string != nil)
    }

    @Test func `the product's decoder reads a delivery`() throws {
        let id = say()["id"].int
        let sent = try #require(try scene.deliveries(1).first)
        let (event, action) = try WebhookDecoder.decode("issue_comment", sent.body)
        #expect(action == "created")
        guard case .comment(let comment) = event else {
            Testing.Issue.record("it is no comment")
            return
        }
        #expect(comment.commentID == id)
        #expect(comment.author == Person(id: 583_232, login: "mona"))
        #expect(comment.repository.installationID == 31)
        #expect(!comment.isByApp)
    }

    @Test func `the App's own comments are announced, too`() throws {
        let token = try scene.token()
        let path = GitHubScene.hello + "/issues/1/comments"
        let made = scene.call("POST", path, ["body": "I"], as: token)
        let id = try #require(made.json["id"].int)
        let comment = "\(GitHubScene.hello)/issues/comments/\(id)"
        #expect(scene.call("PATCH", comment, ["body": "II"], as: token).status == 200)
        #expect(scene.call("DELETE", comment, as: token).status == 204)
        let payloads = try scene.deliveries(3).map { JSON($0.body) ?? .null }
        #expect(payloads.map { $0["action"].string } == ["created", "edited", "deleted"])
        #expect(payloads.allSatisfy { $0["sender"]["type"].string == "Bot" })
        #expect(payloads.allSatisfy { $0["comment"]["performed_via_github_app"]["id"] == 101 })
        #expect(payloads[1]["changes"]["body"]["from"].string == "I")
    }

    @Test func `a failure is in the log, and nothing is sent again by itself`() throws {
        scene.webhooks.answer.withLock { $0 = { Response(status: 503, body: Data("busy".utf8)) } }
        #expect(say()["delivery"]["status"].string == "Invalid HTTP Response: 503")
        scene.webhooks.answer.withLock {
            $0 = { () throws(TransportError) in throw TransportError(.interrupted, "slow") }
        }
        #expect(say()["delivery"]["status"].string == "timed out")
        scene.webhooks.answer.withLock { $0 = { Response(status: 202) } }
        #expect(say()["delivery"]["status"].string == "OK")
        #expect(scene.webhooks.list.count == 3)
        let log = try scene.app("GET", "/app/hook/deliveries").json.array
        #expect(log.map { $0["status_code"].int } == [202, 504, 503])
        let failed = try scene.app("GET", "/app/hook/deliveries?status=failure").json.array
        #expect(failed.count == 2)
        let detail = try scene.app("GET", "/app/hook/deliveries/\(log[2]["id"].int ?? 0)").json
        #expect(detail["response"]["payload"].string == "busy")
        #expect(detail["request"]["headers"]["X-GitHub-Event"].string == "issue_comment")
        #expect(detail["request"]["payload"]["action"].string == "created")
    }

    @Test func `while webhooks are off, nothing leaves and everything is logged as failed`() throws {
        scene.control("POST", "webhooks", ["enabled": false])
        #expect(say()["delivery"]["status"].string == "failed to connect to host")
        #expect(scene.webhooks.list.isEmpty)
        scene.control("POST", "webhooks", ["enabled": true])
        #expect(say()["delivery"]["status"].string == "OK")
        #expect(try scene.effects("delivery.sent").map { $0["status_code"].int } == [502, 202])
    }

    @Test func `a redelivery has the same GUID and body`() throws {
        let guid = try #require(say()["delivery"]["guid"].string)
        let id = try scene.app("GET", "/app/hook/deliveries").json.array.first?["id"].int
        #expect(try scene.app("POST", "/app/hook/deliveries/\(id ?? 0)/attempts").status == 202)
        scene.control("POST", "deliveries/\(guid)/redeliver", ["times": 3, "wait": true])
        let sent = try scene.deliveries(5)
        #expect(Set(sent.map { $0.fields["X-GitHub-Delivery"] }) == [guid])
        #expect(Set(sent.map(\.body)).count == 1)
        let log = try scene.app("GET", "/app/hook/deliveries").json.array
        #expect(log.map { $0["redelivery"].bool } == [true, true, true, true, false])
    }

    @Test func `the log is read page by page, newest first`() throws {
        let guids = (1...5).compactMap { _ in say()["delivery"]["guid"].string }
        var found: [String] = []
        var next: String? = "/app/hook/deliveries?per_page=2"
        while let path = next, found.count < 9 {
            let response = try scene.app("GET", path)
            found += response.json.array.compactMap { $0["guid"].string }
            next = response.fields["Link"].map {
                String($0.dropFirst().prefix { $0 != ">" }).replacing(
                    GitHubScene.origin + "/api/v3", with: "")
            }
        }
        #expect(found == guids.reversed())
        #expect(try scene.app("GET", "/app/hook/deliveries?cursor=x").status == 400)
    }

    @Test func `a suspended installation hears of its suspension and of nothing after it`() throws {
        scene.control("POST", "installations/31/suspend", ["wait": true])
        _ = try scene.comment()
        scene.control("POST", "installations/31/unsuspend", ["wait": true])
        let sent = try scene.deliveries(2).map { JSON($0.body)?["action"].string }
        #expect(sent == ["suspend", "unsuspend"])
    }

    @Test func `a new and a renamed repository are announced`() throws {
        scene.control("POST", "repositories", ["owner": "octo-team", "name": "new", "files": ["a": "b"]])
        scene.control("PATCH", "repositories/octo-team/new", ["name": "newer", "archived": true])
        let sent = try scene.deliveries(4)
        let events = sent.map {
            "\($0.fields["X-GitHub-Event"] ?? "") \(JSON($0.body)?["action"].string ?? "")"
        }
        #expect(
            events == [
                "repository created", "installation_repositories added", "repository renamed",
                "repository archived",
            ])
    }

    @Test func `any payload can be delivered, signed`() throws {
        let answer = scene.control(
            "POST", "deliver",
            ["event": "star", "payload": ["action": "created"], "guid": "g-1", "wait": true])
        #expect(answer.json["delivery"]["status"].string == "OK")
        let sent = try #require(try scene.deliveries(1).first)
        #expect(sent.fields["X-GitHub-Delivery"] == "g-1")
        #expect(sent.body == Data(#"{"action":"created"}"#.utf8))
    }
}
