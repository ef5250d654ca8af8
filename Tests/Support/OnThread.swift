import PorterProcess

/// Runs the closure on a thread of its own and waits for it without blocking the test's.
///
/// Tests share a pool of one thread a core: what blocks there (a call, a wait for another program) would hold
/// up whatever else runs on the pool, a server in the same process included.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.start { continuation.resume(with: Result { try body() }) }
    }
}
