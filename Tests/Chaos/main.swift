import CLinux
import Foundation
import Porter
import PorterStore

// Kills Porter's rules with SIGKILL at each named step of their outward effects, thousands of times, over a real
// database, and judges from outside what is left. For tests only; never installed.
//
//     porter-chaos [--kills 10000] [--least 50] [--seed N] [--threads 2]
//     porter-chaos --season N [--only STEP,...]      one season again
//     porter-chaos --season N --tell all            and everything that happens in it

signal(SIGPIPE, SIG_IGN)
let words = Array(CommandLine.arguments.dropFirst())
if words.first == "--child" {
    guard words.count == 7, let seed = UInt64(words[1]), let start = Int64(words[2]),
        let uptime = Int64(words[3]), let mine = Int(words[5]), let total = Int(words[6])
    else { fail("a child without its words") }
    Child(
        database: words[4], caps: Caps(perPerson: mine, total: total), seed: seed,
        start: Moment(porter: Instant(milliseconds: start), uptime: uptime)
    ).run()
}
var wish = Harness.Wish()
var rest = words[...]
while let word = rest.popFirst() {
    guard let value = rest.popFirst() else { fail("\(word) needs a value") }
    switch word {
    case "--kills": wish.kills = Int(value) ?? wish.kills
    case "--least": wish.least = Int(value) ?? wish.least
    case "--seed": wish.seed = UInt64(value) ?? wish.seed
    case "--threads": wish.threads = Int(value) ?? wish.threads
    case "--season": wish.season = UInt64(value)
    case "--only": wish.only = value.split(separator: ",").map(String.init)
    case "--tell": wish.isTold = value == "all"
    default: fail("nobody knows \(word)")
    }
}
_exit(try Harness(wish).run())
