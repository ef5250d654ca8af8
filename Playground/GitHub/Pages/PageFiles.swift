import FoundationEssentials
import PorterHTTP

/// The files that the pages are made of; they live in the program, so that it can run from anywhere.
enum PageFiles {
    /// The file below `/_playground` under that name.
    static func answer(_ segments: [String]) -> Response? {
        guard segments.count == 2 else { return nil }
        switch (segments[0], segments[1]) {
        case ("pages", "style.css"): return file("text/css", PageStyle.text)
        case ("pages", "page.js"): return file("text/javascript", PageScript.text)
        case ("pages", "markdown.js"): return file("text/javascript", MarkdownScript.text)
        case ("avatars", let id): return file("image/svg+xml", avatar(id))
        default: return nil
        }
    }

    private static func file(_ type: String, _ text: String) -> Response {
        Response(
            status: 200,
            fields: [
                "Content-Type": "\(type); charset=utf-8", "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
            ], body: Data(text.utf8))
    }

    /// A disc whose colour comes from the number.
    private static func avatar(_ id: String) -> String {
        let hue = (Int(id.prefix(12)) ?? 0) % 360 * 137 % 360
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">\
            <rect width="40" height="40" rx="20" fill="hsl(\(hue) 45% 50%)"/>\
            <circle cx="20" cy="16" r="7" fill="#fff" opacity=".85"/>\
            <path d="M7 36a13 13 0 0 1 26 0z" fill="#fff" opacity=".85"/></svg>
            """
    }
}
