import Porter
import PorterStore
import PorterTestWorld
import Testing

@testable import PorterWork

/// Many people at once: caps, fairness, ageing, and what the comments say of the queue.
@Suite struct CrowdTests {
    private static let people = (1...8).map { Person(id: 100 + Int64($0), login: "person-\($0)") }
    private static let caps = Caps(perPerson: 2, total: 5)

    /// A world in which eight people can push, and each run takes so many seconds.
    private static func world(takes seconds: Int) throws -> World {
        let world = try World { $0.caps = caps }
        world.github.change { state in
            for person in people {
                state.permissions[person.login] = GitHub.Permission(level: "write", userID: person.id)
            }
        }
        world.crew.change { $0.takes = seconds }
        return world
    }

    /// What the comments showed, second by second.
    private struct Watch {
        /// The places that each waiting task had in the last seconds, newest last.
        var places: [TaskID: [Int]] = [:]
        var edits: [Int64: [(at: Instant, isQueued: Bool)]] = [:]
        var seen = 0
        var flaws: [String] = []

        /// A shown place was true within so many seconds.
        ///
        /// An edit comes 30 s after the one before, and a second or two later by the clock of this test.
        static let lag = 33

        mutating func look(_ world: World, _ ids: [TaskID]) throws {
            var running: [Int64: Int] = [:]
            for id in ids {
                let task = try world.task(id)
                if task.state == .running { running[task.author.id, default: 0] += 1 }
                try lookAtPlace(task, world)
            }
            if running.values.reduce(0, +) > caps.total {
                flaws.append("\(running) run at \(world.now.iso8601)")
            }
            if running.values.contains(where: { $0 > caps.perPerson }) {
                flaws.append("\(running) run at \(world.now.iso8601)")
            }
            let edits = world.github.seen.edits
            for edit in edits[seen...] {
                self.edits[edit.id, default: []].append((world.now, edit.body.hasPrefix("**Queued**")))
            }
            seen = edits.count
        }

        private mutating func lookAtPlace(_ task: PorterTask, _ world: World) throws {
            guard task.state == .queued, let place = try world.store.place(of: task.id, caps, at: world.now)
            else {
                places[task.id] = nil
                return
            }
            places[task.id, default: []].append(place)
            places[task.id] = places[task.id].map { Array($0.suffix(Self.lag + 1)) }
            guard let shown = world.statuses(task.id).first?.body.firstMatch(of: /place (\d+) in the queue/)
            else {
                return
            }
            // Several tasks may start within one second: a place between two that were seen was true, too.
            let had = places[task.id] ?? []
            if let number = Int(shown.1), let least = had.min(), let most = had.max(),
                !(least...most).contains(number)
            {
                flaws.append("\(task.id) shows place \(number), and had \(places[task.id] ?? [])")
            }
        }

        /// Edits that came too soon after the one before; the fold at the end is none of them.
        func hasty() -> [String] {
            edits.flatMap { comment, edits in
                zip(edits, edits.dropFirst().dropLast()).compactMap { earlier, later in
                    let least: Int64 = later.isQueued ? 30_000 : 10_000
                    return later.at - earlier.at < least
                        ? "\(comment) after \(later.at - earlier.at) ms" : nil
                }
            }
        }
    }

    @Test func `40 tasks of 8 people break no cap, starve nobody, and every place shown is true`() throws {
        let world = try Self.world(takes: 60)
        var ids: [TaskID] = []
        for round in 0..<5 {
            for person in Self.people {
                let flag = ["", " --priority=high", " --priority=low"][(round + Int(person.id)) % 3]
                ids.append(try world.ask("@porter demo\(flag) fix it", by: person))
            }
        }
        var watch = Watch()

        var seconds = 0
        while seconds < 3600, try ids.contains(where: { try world.task($0).publishedAt == nil }) {
            try world.live(seconds: 1)
            seconds += 1
            try watch.look(world, ids)
        }

        #expect(watch.flaws == [])
        #expect(watch.hasty() == [])
        for id in ids { #expect(try world.flaws(id) == []) }
        // Eight rounds of five at once take a minute each, and a little for the way.
        #expect(seconds < 900)
        #expect(try Self.overlaps(ids, world) == [])
    }

    /// The caps again, to the millisecond, from the history.
    private static func overlaps(_ ids: [TaskID], _ world: World) throws -> [String] {
        var changes: [(at: Instant, person: Int64, by: Int)] = []
        for id in ids {
            let events = try world.store.listEvents(id)
            let person = try world.task(id).author.id
            for event in events where event.kind == "started" { changes.append((event.at, person, 1)) }
            for event in events where event.kind == "ended" { changes.append((event.at, person, -1)) }
        }
        var running: [Int64: Int] = [:]
        var flaws: [String] = []
        for change in changes.sorted(by: { ($0.at, $0.by) < ($1.at, $1.by) }) {
            running[change.person, default: 0] += change.by
            if running.values.reduce(0, +) > caps.total || running[change.person, default: 0] > caps.perPerson
            {
                flaws.append("\(running) at \(change.at.iso8601)")
            }
        }
        return flaws
    }

    @Test func `nobody gets a third run before everybody had a first`() throws {
        let world = try Self.world(takes: 60)
        var ids: [Person: [TaskID]] = [:]
        // The first in the queue has asked for all of hers before anybody else has asked.
        for person in Self.people { ids[person] = try (0..<5).map { _ in try world.ask(by: person) } }
        try world.live(seconds: 1800)

        func starts(_ person: Person) throws -> [Instant] {
            try (ids[person] ?? []).flatMap { id in
                try world.store.listEvents(id).filter { $0.kind == "started" }.map(\.at)
            }.sorted()
        }
        let firsts = try Self.people.compactMap { try starts($0).first }
        let thirds = try Self.people.compactMap { try starts($0).dropFirst(2).first }
        #expect(firsts.count == 8 && thirds.count == 8)
        #expect((firsts.max() ?? world.now) <= (thirds.min() ?? world.now))
    }

    @Test func `a task of low priority starts although urgent ones keep coming`() throws {
        let world = try Self.world(takes: 120)
        for person in Self.people.dropFirst() {
            for _ in 0..<2 { _ = try world.ask("@porter demo --priority=high fix it", by: person) }
        }
        let low = try world.ask("@porter demo --priority=low fix it", by: Self.people[0])
        var seconds = 0
        while seconds < 3600, try world.task(low).startedAt == nil {
            // More come than are done.
            for person in Self.people.dropFirst().prefix(6) where seconds % 120 == 0 {
                _ = try world.ask("@porter demo --priority=high fix it", by: person)
            }
            try world.live(seconds: 10)
            seconds += 10
        }

        // Twice ten minutes raise it to the first class, where its person has nothing running.
        #expect((1190...1500).contains(seconds))
    }
}
