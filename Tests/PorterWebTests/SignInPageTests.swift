import Foundation
import PorterWork
import Testing

/// The first page beside the list of ways in which a sign-in can fail.
@Suite struct SignInPageTests {
    private let page: String

    init() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        page = try String(contentsOf: URL(filePath: "/\(root)/public/index.html"), encoding: .utf8)
    }

    @Test
    func
        `each failure of a sign-in has its own words on the first page, beside those for an unknown one and for whoever is in`()
    {
        let named = page.split(separator: "<template data-error=\"").dropFirst().compactMap {
            $0.split(separator: "\"").first.map(String.init)
        }

        #expect(named.sorted() == (SignInFailure.allCases.map(\.rawValue) + ["other", "signed_in"]).sorted())
    }
}
