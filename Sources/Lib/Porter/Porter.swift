/// Porter's domain: what a task is, which states it knows, why one ends, and what the world must offer.
///
/// Nothing here reads a clock, a file or the network, and nothing here knows how a thing is done.
/// ``PorterTask`` and ``TaskState`` are the noun and its life; ``Reason`` is the closed list of why it
/// ended; ``GitHub`` and ``Machines`` are the effects, structs of closures whose live values other
/// modules make; ``Instant``, ``Clock`` and ``Entropy`` bring time and chance in from outside.
package enum Porter {
    /// The version that programs print and the worker reports.
    package static let version = "0.1.0"

    /// The version of the worker's protocol (`public/openapi.json`, `claim`).
    package static let workerProtocol = 1
}
