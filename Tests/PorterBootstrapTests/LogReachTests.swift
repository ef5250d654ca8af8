import PorterWork
import Testing

@testable import PorterBootstrap

/// GitHub keeps its log of deliveries for three days, an Enterprise Server for seven.
@Suite struct LogReachTests {
    @Test(arguments: ["https://api.github.com", "https://API.github.com", "https://api.acme.ghe.com"])
    func `an account at GitHub has no server of its own`(url: String) {
        #expect(!Policy.isEnterpriseServer(url))
    }

    @Test(arguments: [
        "https://github.acme.example/api/v3", "https://api.github.com.evil.example", "https://ghe.com",
        "http://127.0.0.1:8080/api/v3",
    ])
    func `any other address is a server of one's own`(url: String) {
        #expect(Policy.isEnterpriseServer(url))
    }
}
