import Foundation
import Porter
import PorterTestSupport
import Testing

@Suite struct InstantTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2026-11-24T12:00:00.000Z", 1_795_521_600_000),
        ("2000-02-29T23:59:59.999Z", 951_868_799_999),
        ("1900-03-01T00:00:00.000Z", -2_203_891_200_000),
        ("2024-12-31T23:59:59.999Z", 1_735_689_599_999),
        ("2400-02-29T00:00:00.000Z", 13_574_563_200_000),
        ("0000-01-01T00:00:00.000Z", -62_167_219_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ])
    func `a moment is written and read with Z and milliseconds`(text: String, milliseconds: Int64) {
        #expect(Instant(milliseconds: milliseconds).iso8601 == text)
        #expect(Instant(iso8601: text) == Instant(milliseconds: milliseconds))
    }

    @Test(arguments: [
        ("2026-11-24T12:00:00Z", 0), ("2026-11-24T12:00:00.1Z", 100), ("2026-11-24T12:00:00.12Z", 120),
        ("2026-11-24T12:00:00.123Z", 123), ("2026-11-24T12:00:00.1239Z", 123),
        ("2026-11-24T12:00:00.123456789Z", 123), ("2026-11-24T12:00:00.009Z", 9),
    ])
    func `a fraction of one to nine digits is cut to milliseconds`(text: String, more: Int64) {
        #expect(Instant(iso8601: text) == FixedClock.start.adding(milliseconds: more))
    }

    @Test func `a leap second is the first moment of the next minute`() {
        #expect(Instant(iso8601: "2016-12-31T23:59:60Z") == Instant(iso8601: "2017-01-01T00:00:00Z"))
    }

    @Test(arguments: [
        "", "Z", "2026", "2026-11-24", "2026-11-24T12:00:00", "2026-11-24T12:00:00+00:00",
        "2026-11-24T12:00:00.Z", "2026-11-24T12:00:00.1234567890Z", "2026-11-24T12:00:00,5Z",
        "2026-11-24T12:00:00.1x3Z", "2026-11-24T12:00:00 Z", "2026-11-24T12:00:00z",
        "2026-11-24t12:00:00Z", "2026-11-24 12:00:00Z", " 2026-11-24T12:00:00Z",
        "2026-11-24T12:00:00Z ", "2026-00-24T12:00:00Z", "2026-13-24T12:00:00Z",
        "2026-11-00T12:00:00Z", "2026-11-32T12:00:00Z", "2026-11-31T12:00:00Z",
        "2026-02-29T12:00:00Z", "2100-02-29T12:00:00Z", "2024-02-30T12:00:00Z",
        "2026-11-24T24:00:00Z", "2026-11-24T12:60:00Z", "2026-11-24T12:00:61Z",
        "+026-11-24T12:00:00Z", "-026-11-24T12:00:00Z", "2026-1 -24T12:00:00Z",
        "2026-11-24T12:00:00.-12Z", "２026-11-24T12:00Z", "12026-11-24T12:00:00Z",
    ])
    func `anything else is no moment`(text: String) {
        #expect(Instant(iso8601: text) == nil)
    }

    // From 1583 on: before that Foundation counts by the Julian calendar, ISO 8601 by the Gregorian.
    @Test func `Foundation agrees on any moment`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let milliseconds = Int64.random(in: -12_212_553_600_000...253_402_300_799_999, using: &generator)
            let text = Instant(milliseconds: milliseconds).iso8601
            let date = try Date(
                text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            #expect(
                Int64((date.timeIntervalSince1970 * 1000).rounded()) == milliseconds, "seed \(seed): \(text)")
            #expect(Instant(iso8601: text)?.milliseconds == milliseconds, "seed \(seed): \(text)")
        }
    }

    @Test(arguments: [Int64.min, Int64.min + 1, Int64.max])
    func `the ends of time are written without a crash`(milliseconds: Int64) {
        #expect(Instant(milliseconds: milliseconds).iso8601.hasSuffix("Z"))
    }

    @Test(arguments: [(1999, 1), (-1, -1), (-1000, -1), (-1001, -2), (0, 0), (999, 0)] as [(Int64, Int64)])
    func `whole seconds are rounded down`(milliseconds: Int64, seconds: Int64) {
        #expect(Instant(milliseconds: milliseconds).seconds == seconds)
    }

    @Test func `moments are added to, compared and subtracted`() {
        let moment = Instant(seconds: 10)
        #expect(moment.milliseconds == 10_000)
        #expect(moment.adding(seconds: -3).milliseconds == 7000)
        #expect(moment.adding(milliseconds: 5) - moment == 5)
        #expect(moment < moment.adding(milliseconds: 1))
        #expect(!(moment < moment))
    }

    @Test func `the date of an HTTP answer is read`() {
        #expect(
            Instant(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT") == Instant(iso8601: "1994-11-06T08:49:37Z"))
        #expect(
            Instant(httpDate: "Fri, 27 Nov 2026 04:05:06 GMT") == Instant(iso8601: "2026-11-27T04:05:06Z"))
    }

    @Test(arguments: [
        "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37.5 GMT tomorrow",
    ])
    func `what is no date of HTTP's one form is none`(text: String) {
        #expect(Instant(httpDate: text) == nil)
    }
}
