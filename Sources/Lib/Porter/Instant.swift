/// A moment in UTC, to the millisecond.
///
/// Stored as milliseconds since 1970 (`INTEGER` columns named `…_at`) and shown as ISO 8601 with `Z`,
/// for example `2026-11-24T11:43:13.120Z`.
package struct Instant: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package let milliseconds: Int64

    /// The moment that lies so many milliseconds after the start of 1970.
    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The moment that lies so many seconds after the start of 1970; the end of time if that is later.
    package init(seconds: Int64) {
        let (product, isOver) = seconds.multipliedReportingOverflow(by: 1000)
        milliseconds = isOver ? (seconds < 0 ? .min : .max) : product
    }

    /// Reads `YYYY-MM-DDTHH:MM:SS[.fff]Z`, as GitHub and Porter write times; nil for anything else.
    package init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 45, bytes[7] == 45, bytes[13] == 58, bytes[16] == 58,
            bytes[10] == 84, bytes[bytes.count - 1] == 90
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            guard bytes[19] == 46, bytes.count <= 30 else { return nil }
            let digits = bytes.count - 21
            guard digits > 0, number(20..<(20 + digits)) != nil,
                let value = number(20..<(20 + min(digits, 3)))
            else { return nil }
            fraction = digits == 1 ? value * 100 : digits == 2 ? value * 10 : value
        }
        let days = Self.daysFromCivil(year: year, month: month, day: day)
        // February has no 30th, and no 29th in most years.
        guard Self.civilFromDays(days).1 == month else { return nil }
        milliseconds = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction
    }

    /// Reads the one form of date that HTTP servers send, `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else.
    ///
    /// - SeeAlso: <https://www.rfc-editor.org/rfc/rfc9110#name-date-time-formats>
    package init?(httpDate text: String) {
        let words = text.split(separator: " ")
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
            let month = Self.months.firstIndex(of: String(words[2])), words[1].count == 2, words[3].count == 4
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : String(month + 1)
        self.init(iso8601: "\(words[3])-\(number)-\(words[1])T\(words[4])Z")
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The moment as `YYYY-MM-DDTHH:MM:SS.fffZ`.
    package var iso8601: String {
        let days = milliseconds.floorDivided(by: 86_400_000)
        let rest = milliseconds &- days &* 86_400_000
        let (year, month, day) = Self.civilFromDays(days)
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
            + padded(rest / 3_600_000, 2) + ":" + padded(rest / 60_000 % 60, 2) + ":"
            + padded(rest / 1000 % 60, 2) + "." + padded(rest % 1000, 3) + "Z"
    }

    /// Whole seconds since 1970, rounded down.
    package var seconds: Int64 { milliseconds.floorDivided(by: 1000) }

    /// The moment so many seconds later (or earlier, if negative).
    package func adding(seconds: Int) -> Instant {
        Instant(milliseconds: milliseconds + Int64(seconds) * 1000)
    }

    /// The moment so many milliseconds later (or earlier, if negative).
    package func adding(milliseconds more: Int64) -> Instant {
        Instant(milliseconds: milliseconds + more)
    }

    /// Whether the left moment lies before the right one.
    package static func < (left: Instant, right: Instant) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The milliseconds from the right moment to the left one.
    package static func - (left: Instant, right: Instant) -> Int64 {
        left.milliseconds - right.milliseconds
    }

    // Days and dates of the proleptic Gregorian calendar, after
    // <https://howardhinnant.github.io/date_algorithms.html>.
    private static func daysFromCivil(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = y.floorDivided(by: 400)
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civilFromDays(_ days: Int64) -> (Int64, Int64, Int64) {
        let z = days + 719_468
        let era = z.floorDivided(by: 146_097)
        let dayOfEra = z - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
