import Foundation
import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// A world with one machine whose worker is the test itself.
struct CallbackScene {
    let world: World
    let id: TaskID
    let machine: Secret

    init(_ text: String = "@porter demo fix it", change: (inout Policy) -> Void = { _ in }) throws {
        world = try World(change: change)
        world.crew.change { $0.claims = false }
        id = try world.ask(text)
        try world.settle()
        machine = try #require(world.engine.running.last?.token)
    }

    func claim(_ nonce: String = "nonce-one") throws -> [String: Any] {
        let data = try world.work.claim(token: machine, nonce: Secret(nonce))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// Claims, and hands back the callback token.
    func callback() throws -> Secret {
        Secret(try #require(try claim()["callback_token"] as? String))
    }

    func failure(_ body: () throws -> Void) -> CallbackFailure? {
        do {
            try body()
            return nil
        } catch {
            return error as? CallbackFailure
        }
    }

    var events: [String] { get throws { try world.store.listEvents(id).map(\.kind) } }
}
