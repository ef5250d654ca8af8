import Foundation
import Testing

@testable import PorterWeb

/// `public/openapi.json` beside the table of addresses.
@Suite struct DescriptionTests {
    private let description: [String: Any]

    init() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: "/\(root)/public/openapi.json"))
        description = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private var paths: [String: [String: Any]] { description["paths"] as? [String: [String: Any]] ?? [:] }

    private func find(_ route: Route) -> [String: Any]? {
        paths["/" + route.path.joined(separator: "/")]?[route.method.lowercased()] as? [String: Any]
    }

    @Test func `it describes exactly the addresses there are, each with its methods`() {
        let described = paths.flatMap { path, item in
            item.keys.map { "\($0.uppercased()) \(path)" }
        }

        #expect(described.sorted() == Site.router.routes.map(\.name).sorted())
    }

    @Test func `it is of OpenAPI 3_1, so that a schema is a JSON Schema`() {
        #expect((description["openapi"] as? String)?.hasPrefix("3.1.") == true)
    }

    @Test(arguments: Site.router.routes.indices)
    func `it says of an address who may call it`(index: Int) throws {
        let route = Site.router.routes[index]
        let operation = try #require(find(route), "\(route.name)")
        let schemes = (operation["security"] as? [[String: Any]] ?? []).map { $0.keys.sorted() }

        let expected: [[[String]]] =
            switch route.door {
            // Some look at who asks without needing to know.
            case .open: [[], [["signature"]], [[], ["operator"]], [[], ["session"]]]
            case .operatorToken: [[["operator"]]]
            case .worker: [[["workerBearer"], ["workerHeader"]]]
            case .person, .admin, .leaving: [[["session"]]]
            case .reader: [[["session"], ["operator"]]]
            }
        #expect(expected.contains(schemes), "\(route.name): \(schemes)")
    }

    @Test(arguments: Site.router.routes.indices)
    func `it names the parts of an address`(index: Int) throws {
        let route = Site.router.routes[index]
        let parameters = try #require(find(route))["parameters"] as? [[String: Any]] ?? []
        let named = parameters.filter { $0["in"] as? String == "path" }.compactMap { $0["name"] as? String }

        let parts = route.path.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
        #expect(named == parts, "\(route.name)")
    }

    @Test(arguments: Site.router.routes.indices)
    func `where people ask, it knows whom a page was made for, and the refusal of others`(index: Int) throws {
        let route = Site.router.routes[index]
        let operation = try #require(find(route), "\(route.name)")
        let parameters = operation["parameters"] as? [[String: Any]] ?? []
        let isNamed = parameters.contains { $0["$ref"] as? String == "#/components/parameters/Person" }
        let answers = operation["responses"] as? [String: Any] ?? [:]

        let asksPeople =
            switch route.door {
            case .person, .admin, .leaving, .reader: true
            case .open, .operatorToken, .worker: false
            }
        #expect(isNamed == asksPeople, "\(route.name)")
        #expect(answers.keys.contains("409") || !asksPeople, "\(route.name)")
    }

    @Test func `whom a page was made for stands in the header that is read`() throws {
        let components = try #require(description["components"] as? [String: [String: [String: Any]]])

        #expect(components["parameters"]?["Person"]?["name"] as? String == Site.personHeader)
        let words = try #require(components["responses"]?["OtherPerson"]?["description"] as? String)
        #expect(words.contains(Failure.otherPerson.code) && words.contains(Site.personHeader))
    }

    @Test(arguments: Site.router.routes.indices)
    func `every answer but the good ones is the one shape of errors`(index: Int) throws {
        let route = Site.router.routes[index]
        let responses = try #require(find(route)?["responses"] as? [String: [String: Any]])

        #expect(responses.keys.contains { $0.hasPrefix("2") || $0.hasPrefix("3") }, "\(route.name)")
        for (status, response) in responses where status.hasPrefix("4") || status.hasPrefix("5") {
            let name = (response["$ref"] as? String)?.split(separator: "/").last
            // A page for people, and an address whose 503 is its own answer.
            let isOwn = route.name == "GET /setup" || (route.name == "GET /readyz" && status == "503")
            #expect(isOwn || name != nil, "\(route.name): \(status)")
        }
    }
}
