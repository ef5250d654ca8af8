import Foundation
import GRDB
package import Porter

/// A piece of an attempt's log.
package struct LogPiece: Hashable, Sendable {
    /// The byte of the whole log at which ``text`` begins.
    package let offset: Int
    /// UTF-8, possibly cut inside a character.
    package let text: [UInt8]
    /// Where the next piece begins; the same as ``offset`` when there is no more yet.
    package let nextOffset: Int
}

/// What an agent was told.
package struct StoredPrompt: Hashable, Sendable {
    /// All that the agent was told, Markdown.
    package let text: String
    /// What the prompt leaves out, in words for people.
    package let omissions: [String]
}

extension Database {
    /// The log of the task's current attempt from that byte on, at most so many bytes.
    package func readLog(_ task: TaskID, from offset: Int, most: Int) throws(StoreError) -> LogPiece {
        try read("read log") { db in
            let chunks = try Row.fetchCursor(
                db,
                sql: """
                    SELECT logs.offset, logs.text FROM logs JOIN tasks ON tasks.id = logs.task_id
                    WHERE logs.task_id = ? AND logs.attempt = tasks.attempt
                        AND logs.offset + length(logs.text) > ?
                    ORDER BY logs.offset
                    """, arguments: [task.rawValue, offset])
            var text: [UInt8] = []
            while text.count < most, let row = try chunks.next() {
                let start: Int = row["offset"]
                let bytes = [UInt8](row["text"] as Data)
                text += bytes.dropFirst(max(0, offset + text.count - start))
            }
            let piece = Array(text.prefix(most))
            return LogPiece(offset: offset, text: piece, nextOffset: offset + piece.count)
        }
    }

    /// What the agent was told; nil before admission and after its retention.
    package func findPrompt(_ task: TaskID) throws(StoreError) -> StoredPrompt? {
        try read("find prompt") { db in
            try Row.fetchOne(
                db, sql: "SELECT text, omissions FROM prompts WHERE task_id = ?",
                arguments: [task.rawValue]
            ).map {
                let omissions = try? JSONDecoder().decode(
                    [String].self, from: Data(($0["omissions"] as String).utf8))
                return StoredPrompt(text: $0["text"], omissions: omissions ?? [])
            }
        }
    }
}
