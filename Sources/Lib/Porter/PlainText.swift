extension String {
    /// The text without what shows nothing and changes how the rest reads: control characters but line breaks
    /// and tabs, and the signs that turn the direction of writing.
    ///
    /// - SeeAlso: <https://trojansource.codes>, <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
    package var plain: String {
        String(String.UnicodeScalarView(unicodeScalars.filter { !$0.isHiddenControl }))
    }
}

extension Unicode.Scalar {
    fileprivate var isHiddenControl: Bool {
        switch value {
        case 9, 10: false
        case 0..<32, 0x7F..<0xA0: true
        // Arabic letter mark, left-to-right and right-to-left marks, embeddings and overrides, isolates.
        case 0x61C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
