import PlaygroundFace
import Foundation
import Porter
import PorterHTTP
import PorterTestSupport
import Testing

@testable import PlaygroundGitHub

@Suite struct GitHubPageTests {
    private let scene: GitHubScene

    init() throws {
        scene = try GitHubScene()
    }

    private func get(_ path: String) -> Response { scene.site.answer(Request(method: "GET", target: path)) }

    @Test(arguments: ["/", "/octo-team/hello", "/octo-team/hello/issues/1"])
    func `a page is there, and takes nothing from elsewhere`(path: String) {
        let page = get(path)
        #expect(page.status == 200)
        #expect(page.fields["Content-Type"] == "text/html; charset=utf-8")
        #expect(page.fields["Content-Security-Policy"]?.hasPrefix("default-src 'none'") == true)
        let text = String(decoding: page.body, as: UTF8.self)
        #expect(!text.contains("http:") && !text.contains("https:"))
        #expect(!text.contains("<style") && !text.contains("onclick"))
    }

    @Test(arguments: ["/nobody/nothing", "/octo-team/hello/issues/9", "/a/b/c/d/e"])
    func `what is not there is a page that says so`(path: String) {
        #expect(get(path).status == 404)
    }

    @Test func `a title with marks stays text`() {
        scene.control(
            "POST", "issues",
            ["repository": "octo-team/hello", "title": #"<script>alert("x")</script>"#, "body": ""])
        let text = String(decoding: get("/octo-team/hello/issues/2").body, as: UTF8.self)
        #expect(text.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"))
        #expect(!text.contains("<script>alert"))
    }

    @Test func `a pull request has a page of its own, and its issue's address leads there`() throws {
        try scene.push("work", ["a.txt": "one"])
        let opened = scene.call(
            "POST", GitHubScene.hello + "/pulls", ["title": "t", "head": "work", "base": "main"],
            as: try scene.token())
        #expect(opened.status == 201)
        #expect(get("/octo-team/hello/pull/2").status == 200)
        #expect(get("/octo-team/hello/issues/2").fields["Location"] == "/octo-team/hello/pull/2")
        let shown = scene.control("GET", "pull?owner=octo-team&repo=hello&number=2").json
        #expect(
            shown["files"].array.first?["patch"].string
                == "@@ -0,0 +1 @@\n+one\n\\ No newline at end of file")
        #expect(shown["commits"].array.count == 1)
    }

    @Test func `the files of the pages are there`() {
        for (name, type) in [
            ("style.css", "text/css"), ("page.js", "text/javascript"), ("markdown.js", "text/javascript"),
        ] {
            #expect(get("/_playground/pages/\(name)").fields["Content-Type"]?.hasPrefix(type) == true)
        }
        #expect(get("/_playground/pages/none.js").status == 404)
    }
}
