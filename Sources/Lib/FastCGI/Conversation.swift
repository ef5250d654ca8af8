import CFastCGI
import CLinux
import FoundationEssentials
import Glibc
import PorterHTTP
import PorterProcess
import Synchronization

/// One connection of the web server at a time, from its acceptance to the end of the answer.
///
/// libfcgi keeps what belongs to it in one struct, at whose address its streams point.
// Safe because it is handed from thread to thread and never held by two.
final class Conversation: @unchecked Sendable {
    private let request = UnsafeMutablePointer<FCGX_Request>.allocate(capacity: 1)
    private var method = ""
    private var bodyBytes = 0
    /// Whether the body came as it was announced, so that nothing but its closing record follows.
    private var isBodyWhole = false

    init(_ listener: Int32) {
        FCGX_InitRequest(request, listener, 0)
    }

    deinit {
        FCGX_Free(request, 1)
        request.deallocate()
    }

    /// Waits for nothing: `-EAGAIN` when nobody connects.
    func accept() -> Int32 { FCGX_Accept_r(request) }

    /// The request; nil when its client has left.
    func read(atMost maximumBodyBytes: Int) -> Incoming? {
        let envp = request.pointee.envp
        var parameters = Parameters { name in
            // A text that is handed to C is copied for it first; these names lie there as C wants them.
            name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount + 1) {
                FCGX_GetParam($0, envp).map { String(cString: $0) }
            }
        }
        Self.add(envp, to: &parameters)
        var head = parameters.head
        // A client that left before its parameters were whole: libfcgi hands on those that had come.
        guard !head.method.isEmpty else { return nil }
        guard let (body, state) = body(parameters, atMost: maximumBodyBytes) else { return nil }
        method = head.method
        bodyBytes = body.count
        head.body = body
        return Incoming(request: head, bodyState: state)
    }

    /// Sends the answer.
    ///
    /// - Returns: whether its fields were sound; otherwise a plain 500 was sent.
    func send(_ response: Response) -> Bool {
        let (head, isSound) = ResponseHead.bytes(response)
        put(head)
        if isSound, method != "HEAD" { response.body.withUnsafeBytes { put($0) } }
        return isSound
    }

    /// Sends what is left of the answer and closes the connection.
    ///
    /// libfcgi shuts its side, then waits until the web server has closed too, because bytes that lie unread when a
    /// socket is closed may cost the peer the answer. Where the request was read to its end none can, and a
    /// detached request is closed without that: the thread is free though its client stays.
    ///
    /// - SeeAlso: <https://github.com/FastCGI-Archives/fcgi2/blob/2.4.2/libfcgi/os_unix.c> (`OS_Close`)
    func end() {
        if isBodyWhole, isAtEnd() { FCGX_Detach(request) }
        isBodyWhole = false
        FCGX_Finish_r(request)
        FCGX_Free(request, 1)
        // What was made of such a body in small pieces is kept by glibc otherwise.
        if bodyBytes > Responder.largeBody { malloc_trim(0) }
        bodyBytes = 0
    }

    /// Whether the web server has said all that it will, and has been answered.
    ///
    /// It may keep the connection for more, or owe the closing record: for that nobody waits, and the answer goes
    /// first.
    private func isAtEnd() -> Bool {
        guard request.pointee.keepConnection == 0, request.pointee.role == FCGI_RESPONDER,
            FCGX_FClose(request.pointee.err) == 0, FCGX_FClose(request.pointee.out) == 0
        else { return false }
        // libfcgi has no way to look without waiting; it closes a socket that does not wait like any other.
        _ = fcntl(request.pointee.ipcFd, F_SETFL, O_NONBLOCK)
        return FCGX_GetChar(request.pointee.in) == EOF && FCGX_GetError(request.pointee.in) == 0
    }

    /// The body in one piece of memory that nobody copies; nil when the client has left.
    private func body(
        _ parameters: Parameters, atMost maximumBodyBytes: Int
    ) -> (Data, Incoming.BodyState)? {
        guard let length = parameters.contentLength else { return (Data(), .unknown) }
        guard length <= maximumBodyBytes else { return (Data(), .tooLarge) }
        guard length > 0 else {
            isBodyWhole = true
            return (Data(), .whole)
        }
        guard let memory = malloc(length) else { return (Data(), .tooLarge) }
        let stream = request.pointee.in
        var received = 0
        while received < length {
            let wanted = Int32(min(length - received, 1 << 20))
            let count = FCGX_GetStr(
                memory.assumingMemoryBound(to: CChar.self) + received, wanted, stream)
            guard count > 0 else { break }
            received += Int(count)
        }
        let body = Data(bytesNoCopy: memory, count: received, deallocator: .free)
        if received == length {
            isBodyWhole = true
            return (body, .whole)
        }
        // An error says that the connection broke: nobody is there to read an answer.
        return FCGX_GetError(stream) == 0 ? (body, .short) : nil
    }

    private func put(_ bytes: some ContiguousBytes) {
        let stream = request.pointee.out
        bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                let count = FCGX_PutStr(
                    start?.advanced(by: sent), Int32(min(buffer.count - sent, 1 << 20)), stream)
                guard count > 0 else { return }
                sent += Int(count)
            }
        }
    }

    /// Adds what may be header fields.
    private static func add(_ envp: FCGX_ParamArray?, to parameters: inout Parameters) {
        var next = envp
        while let entry = next?.pointee {
            next = next?.advanced(by: 1)
            guard let equals = strchr(entry, Int32(UInt8(ascii: "="))) else { continue }
            let name = UnsafeRawBufferPointer(start: entry, count: equals - entry)
            parameters.add(name, String(cString: equals + 1))
        }
    }
}

/// Whose move it is in a conversation: the handler's, or, once that has answered, the thread's that sends.
final class Turn: Sendable {
    private enum State: Sendable {
        /// The handler has not returned.
        case atWork
        /// It has answered before it returned.
        case answered(Response)
        /// It has returned without an answer, which comes later.
        case left
        case over
    }

    private let state = Mutex(State.atWork)
    private let conversation: Conversation
    private let desk: Desk

    init(_ conversation: Conversation, _ desk: Desk) {
        self.conversation = conversation
        self.desk = desk
    }

    deinit {
        // Nobody can answer any more.
        if case .left = state.withLock({ $0 }) {
            desk.put(conversation, Response(status: 500))
        }
    }

    /// Takes the answer; a second one is overlooked.
    func answer(_ response: Response) {
        state.withLock { state in
            switch state {
            case .atWork:
                state = .answered(response)
            case .left:
                state = .over
                desk.put(conversation, response)
            case .answered, .over:
                break
            }
        }
    }

    /// Says that the handler has returned.
    ///
    /// - Returns: its answer; nil when that comes to the desk later.
    func leave() -> Response? {
        state.withLock { state in
            if case .answered(let response) = state {
                state = .over
                return response
            }
            state = .left
            desk.expect()
            return nil
        }
    }
}

/// Where answers lie that came later, until a thread sends them.
final class Desk: Sendable {
    private let answered = Mutex<[(Conversation, Response)]>([])
    /// Conversations without an answer, and those whose answer is not taken yet.
    private let expected = Atomic(0)
    /// Readable when a sleeping thread should look.
    ///
    /// It is rung for the first answer that lies here, and by whoever takes one and leaves others: so no more
    /// threads are woken than there is work for, and nobody rings while holding the lock.
    let bell: Int32

    /// Milliseconds after which a sleeping thread looks by itself.
    private static let longest: Int32 = 100

    init() {
        bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        if bell < 0 { Shortage("descriptor", errno).endProgram() }
    }

    deinit {
        close(bell)
    }

    /// Conversations that are not answered yet.
    var waiting: Int { expected.load(ordering: .acquiring) }

    /// One more answer will come later.
    func expect() {
        expected.add(1, ordering: .acquiringAndReleasing)
    }

    func put(_ conversation: Conversation, _ response: Response) {
        let isFirst = answered.withLock { answered in
            answered.append((conversation, response))
            return answered.count == 1
        }
        if isFirst { ring() }
    }

    /// An answer to send now.
    func take() -> (Conversation, Response)? {
        guard waiting > 0 else { return nil }
        let (first, hasMore): ((Conversation, Response)?, Bool) = answered.withLock { answered in
            guard !answered.isEmpty else { return (nil, false) }
            return (answered.removeFirst(), !answered.isEmpty)
        }
        guard let first else { return nil }
        if hasMore { ring() }
        expected.subtract(1, ordering: .acquiringAndReleasing)
        return first
    }

    /// Stops the bell; whoever does must look for answers then.
    func hush() {
        var rings: UInt64 = 0
        read(bell, &rings, 8)
    }

    /// Sleeps until there is an answer to send, or for a moment.
    func sleep() {
        var polled = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
        if poll(&polled, 1, Self.longest) > 0 { hush() }
    }

    private func ring() {
        var one: UInt64 = 1
        write(bell, &one, 8)
    }
}
