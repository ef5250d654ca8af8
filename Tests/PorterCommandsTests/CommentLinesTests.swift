import Porter
import Testing

@testable import PorterCommands

// "Not inside block quotes, fenced or indented code, HTML comments."
@Suite struct CommentLinesTests {
    @Test(arguments: [
        // Block quotes.
        "> @porter help", ">@porter help", "   > @porter help", "> > @porter help",
        "> text\n> @porter help", "- > @porter help",
        // A line behind a quoted paragraph goes on with it, as replies by e-mail do.
        "> quote\n@porter help", "> quote\nmore of it\n@porter help", "> quote\n   @porter help",
        "> quote\r\n@porter help", "> > quote\n@porter help", "> - item\n@porter help",
        "> quote\n    more\n@porter help", "- > quote\n@porter help", "> a\n>     b\n@porter help",
        "> ```\n> code\n> ```\n> quote\n@porter help", "> # heading\n> quote\n@porter help",
        "> On Monday Maria wrote:\n> > it fails\n@porter help", "text\n> quote\n@porter help",
        // Fences.
        "```\n@porter help\n```", "```swift\n@porter help\n```", "~~~\n@porter help\n~~~",
        "   ```\n@porter help\n   ```", "````\n```\n@porter help\n````", "```\n~~~\n@porter help\n```",
        "~~~\n```\n@porter help\n~~~", "~~~ `info`\n@porter help\n~~~", "```\n@porter help",
        "```\n``\n@porter help", "```\n``` x\n@porter help\n```", "```\n    ```\n@porter help\n```",
        "~~~~\n~~~\n@porter help", "```\r\n@porter help\r\n```", "```\r@porter help\r```",
        "```\n\n\n@porter help\n```", "text\n```\n@porter help\n```", "`````\n````\n@porter help",
        // A fence that a list's item begins belongs to the item.
        "- ```\n  @porter help\n  ```", "1. ~~~sh\n   @porter help\n   ~~~",
        // Indented code.
        "    @porter help", "text\n\n    @porter help", "\t@porter help",
        // HTML comments.
        "<!-- @porter help -->", "<!--\n@porter help\n-->", "<!--\n\n@porter help\n\n-->",
        "   <!--\n@porter help\n-->", "<!-- x\n@porter help", "text <!--\n@porter help\n-->",
        "<!-- a --> <!--\n@porter help\n-->", "<!--\n@porter help --> text", "<!--\r\n@porter help\r\n-->",
        "<!--\n```\n@porter help\n-->", "<!-- --\n@porter help\n-- >\n@porter help",
        "<!-- x --> @porter help", "text\n<!--\n@porter help\n-->",
    ])
    func `nothing in there is a command`(comment: String) {
        #expect(parse(comment) == nil)
    }

    @Test(arguments: [
        // After a quote.
        "> quoted\n\n@porter help", ">\n@porter help", "> @porter status\n\n@porter help",
        "> quoted\n>\n@porter help", "> quoted\n> \n@porter help", "> quoted\n \t\n@porter help",
        "> quoted\nmore\n\n@porter help", "> # heading\n@porter help", "> heading\n> ===\n@porter help",
        "> ```\n> code\n@porter help", "> text\n> ```\n> code\n> ```\n@porter help", "> ---\n@porter help",
        ">     code\n@porter help", "> <!-- x -->\n@porter help", "> quoted\n- item\n@porter help",
        "> quoted\n# heading\n@porter help", "> quoted\n---\n@porter help", "> -\n@porter help",
        "> quoted\n```\ncode\n```\n@porter help", "> quoted\n<!-- x -->\n@porter help",
        // After a fence.
        "```\ncode\n```\n@porter help", "```\ncode\n`````\n@porter help", "```\ncode\n   ```  \n@porter help",
        "~~~\n@porter status\n~~~\n@porter help", "``\n@porter help", "```a`b\n@porter help",
        "``` x ```\n@porter help", "    ```\n@porter help", "```\n@porter status\n```\t\n@porter help",
        "`````\n```\n`````\n@porter help", "```\n```\n@porter help", "text ```\n@porter help",
        "- ```\n  code\n  ```\n\n@porter help", "1. ```sh\n   code\n   ```\n@porter help",
        "- ```\n  code\n@porter help", "- do this:\n  ```\n  code\n  ```\n@porter help",
        // After an HTML comment.
        "<!-- x -->\n@porter help", "<!-- @porter status -->\n@porter help",
        "<!--\n@porter status\n-->\n@porter help", "<!--\n@porter status\n--> text\n@porter help",
        "<!-->\n@porter help", "<!--->\n@porter help", "<!---->\n@porter help",
        "text <!-- x -->\n@porter help",
        "text <!-- a --> b <!-- c -->\n@porter help", "text <!-->\n@porter help", "    <!--\n@porter help",
        "< !--\n@porter help", "<!-\n@porter help", "text -->\n@porter help",
        // An inline comment ends with its paragraph at the latest: what is never closed was never one.
        "the mark <!-- opens one\n\n@porter help", "`<!--` opens one\n\n@porter help",
        // Long runs.
        "text\n\n\n\n@porter help",
    ])
    func `this is outside again`(comment: String) {
        #expect(parse(comment) == .help)
    }

    @Test func `what a command's instructions hold does not matter to it`() {
        #expect(
            run("@porter claude do <!-- this\n```\n> x\n-->")
                == asked("claude", "do <!-- this\n```\n> x\n-->"))
    }
}
