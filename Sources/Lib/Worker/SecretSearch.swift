import Glibc

/// Looks for byte strings in a stream that comes in pieces, and keeps no more of it than the longest of them.
struct SecretSearch {
    private let forms: [[UInt8]]
    /// Bytes that a form may have in the pieces before.
    private let overlap: Int
    private var tail: [UInt8] = []

    /// Whether one has been found.
    private(set) var hasFound = false

    /// A search for the forms, none of which is empty.
    init(_ forms: [[UInt8]]) {
        precondition(forms.allSatisfy { !$0.isEmpty }, "nothing is found everywhere")
        self.forms = forms
        overlap = (forms.map(\.count).max() ?? 1) - 1
    }

    /// Takes the next piece.
    mutating func read(_ piece: UnsafeRawBufferPointer) {
        guard !hasFound, !forms.isEmpty else { return }
        // What lies across the border, and then the piece by itself.
        let joint = tail + piece.prefix(overlap)
        hasFound = joint.withUnsafeBytes { holds($0) } || holds(piece)
        tail = Array((tail + piece.suffix(overlap)).suffix(overlap))
    }

    private func holds(_ bytes: UnsafeRawBufferPointer) -> Bool {
        forms.contains { Self.find($0, in: bytes) }
    }

    private static func find(_ form: [UInt8], in bytes: UnsafeRawBufferPointer) -> Bool {
        guard var place = bytes.baseAddress else { return false }
        var places = bytes.count - form.count + 1
        while places > 0, let hit = memchr(place, Int32(form[0]), places) {
            if memcmp(hit, form, form.count) == 0 { return true }
            places -= UnsafeRawPointer(hit) - place + 1
            place = UnsafeRawPointer(hit) + 1
        }
        return false
    }
}
