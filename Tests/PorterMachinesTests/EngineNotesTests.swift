import Foundation
import PorterHTTP
import Testing

@testable import PorterMachines

@Suite struct EngineNotesTests {
    private func ask(_ response: Response) -> [String]? {
        let transport = Transport { request, _ in
            #expect(request.target == "http://localhost/v1/apps/local")
            return response
        }
        return EngineNotes.ask(transport: transport, baseURL: "http://localhost/v1", app: "local")
    }

    @Test func `the runner's warnings are read as they stand`() {
        let body = Data(#"{"name": "local", "status": "ready", "warnings": ["Cores: none."]}"#.utf8)

        #expect(ask(Response(status: 200, body: body)) == ["Cores: none."])
    }

    @Test func `an engine without warnings has none`() {
        #expect(ask(Response(status: 200, body: Data(#"{"name": "local"}"#.utf8))) == [])
    }

    @Test(arguments: [
        Response(status: 404, body: Data("{}".utf8)), Response(status: 200, body: Data("<html>".utf8)),
    ])
    func `an answer that cannot be read says nothing`(response: Response) {
        #expect(ask(response) == nil)
    }
}
