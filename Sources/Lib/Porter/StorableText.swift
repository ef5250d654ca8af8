extension String {
    /// The text without NUL, at which a text in SQLite would end.
    package var storable: String {
        utf8.contains(0) ? String(unicodeScalars.filter { $0 != "\0" }) : self
    }
}
