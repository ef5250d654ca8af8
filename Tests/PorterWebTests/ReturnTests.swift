import PorterHTTP
import PorterTestWorld
import Testing

@testable import PorterWeb

/// Where a sign-in comes back to: pages of ours, and nothing else.
@Suite struct ReturnTests {
    @Test(arguments: [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%5Cevil.example",
        "/%09/evil.example", "/%0d%0aLocation:%20https://evil.example", "https://evil.example",
        "HTTPS://evil.example", "javascript:alert(1)", "data:text/html,x", "//user@evil.example",
        "/@evil.example", "https:evil.example", "/%2f/evil.example", "/%252f%252fevil.example",
        "evil.example",
        "", "?x", "#x", "/..//evil.example", "/./x", "/a/../../b", "/.well-known/x", "/\t/evil.example",
        "/\u{0}", "/\n/x", "/ä", "/a b", "/a?x=\\", "/a?x=\u{7f}", "/a?<script>", "/api/auth/github",
        "/api/tasks", "/api", "/a//b", "/\u{2215}/evil.example", "/\u{FF0F}evil.example", " /x", "/x ",
    ])
    func `a page to come back to that is not one of ours`(address: String) throws {
        let browser = Browser(try Scene())
        let response = browser.send("GET", "/api/auth/github?return=\(Site.escaped(address))")
        try expectRefusal(response, "return_invalid", browser)
        #expect(try browser.scene.rows("sign_ins") == 0)
    }

    @Test(arguments: ["/%ff", "/%zz", "%c3"])
    func `a page to come back to that is no text`(address: String) throws {
        let browser = Browser(try Scene())
        try expectRefusal(
            browser.send("GET", "/api/auth/github?return=\(address)"), "return_invalid", browser)
        #expect(try browser.scene.rows("sign_ins") == 0)
    }

    @Test func `a page to come back to that is far too long`() throws {
        let browser = Browser(try Scene())
        let long = "/" + String(repeating: "a", count: 1024)
        try expectRefusal(browser.send("GET", "/api/auth/github?return=\(long)"), "return_invalid", browser)
    }

    @Test(arguments: [
        "/", "/tasks/", "/task/?id=task_1", "/settings/#keys", "/tasks/?status=failed&repo=a%2Fb",
        "/help", "/a-b_c.d~e",
    ])
    func `a page of ours is come back to`(address: String) throws {
        let browser = Browser(try Scene())
        #expect(
            try browser.signIn(World.maria, "?return=\(Site.escaped(address))").fields["Location"] == address)
    }
}
