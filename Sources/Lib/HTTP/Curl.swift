import CCurl
import FoundationEssentials
import Synchronization

extension Transport {
    /// Calls through libcurl: https only outside loopback, no redirects, bounded in time and size.
    ///
    /// Connections are reused by the handles of a small pool; a thread holds one handle during a call. A
    /// request that is not idempotent always opens a connection of its own, because libcurl silently sends
    /// a request again when a reused connection turns out to be dead.
    ///
    /// - SeeAlso: <https://curl.se/libcurl/c/libcurl-errors.html>
    package static func curl(_ options: CurlOptions) -> Transport {
        let pool = HandlePool()
        return Transport { request, limits throws(TransportError) in
            let handle = try pool.take()
            defer { pool.give(handle) }
            return try handle.send(request, limits, options)
        }
    }
}

/// Handles that are free, each with its open connections.
private final class HandlePool: Sendable {
    /// Handles kept for later; more threads than this open new ones.
    private static let most = 32
    private let free = Mutex<[Handle]>([])

    init() {
        // Thread-safe since 7.84; called once more by every pool, which is allowed.
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    }

    func take() throws(TransportError) -> Handle {
        if let handle = free.withLock({ $0.popLast() }) { return handle }
        guard let easy = curl_easy_init(), let multi = curl_multi_init() else {
            throw TransportError(.unreachable, "libcurl has no memory for a handle")
        }
        return Handle(easy: easy, multi: multi)
    }

    func give(_ handle: Handle) {
        free.withLock { handles in
            if handles.count < Self.most { handles.append(handle) }
        }
    }
}

/// One easy handle in a multi handle of its own, so that waiting can be cut at any moment.
// Safe because the pool gives a handle to one thread at a time.
private final class Handle: @unchecked Sendable {
    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer

    init(easy: UnsafeMutableRawPointer, multi: UnsafeMutableRawPointer) {
        self.easy = easy
        self.multi = multi
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_multi_cleanup(multi)
    }

    func send(
        _ request: Request, _ limits: Transport.Limits, _ options: CurlOptions
    ) throws(TransportError) -> Response {
        // A call that has not begun is certain to have done nothing.
        guard !options.cancellation.isCancelled else {
            throw TransportError(.unreachable, "the program is ending")
        }
        guard let target = AddressRules.target(request.target) else {
            throw TransportError(.notAllowed, "the address is no plain http(s) URL")
        }
        guard target.isTLS || target.isLoopback || options.unixSocket != nil else {
            throw TransportError(.notAllowed, "http is for loopback only: \(target.host)")
        }
        let lines = try Self.headerLines(request)
        // A proxy has a loopback of its own: what is meant for ours never goes through it.
        let proxy = target.isLoopback || options.unixSocket != nil ? nil : options.proxy
        let exchange = Exchange(
            maximumBodyBytes: limits.maximumBodyBytes,
            mayBePrivate: target.isLoopback || options.unixSocket != nil || proxy != nil
                || options.privateHosts.contains(target.host))
        curl_easy_reset(easy)
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines { list = curl_slist_append(list, line) }
        defer { curl_slist_free_all(list) }
        var errorText = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        let code = errorText.withUnsafeMutableBufferPointer { errors in
            request.body.withUnsafeBytes { body in
                configure(request, body, limits, options, proxy, list, exchange, errors.baseAddress)
                // Closing a connection later must not write to a buffer that is gone.
                defer { porter_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, nil) }
                return run(options.cancellation)
            }
        }
        let message = errorText.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return try answer(code, message, exchange)
    }

    /// All options of a call in one place.
    private func configure(
        _ request: Request, _ body: UnsafeRawBufferPointer, _ limits: Transport.Limits,
        _ options: CurlOptions, _ proxy: String?, _ list: UnsafeMutablePointer<curl_slist>?,
        _ exchange: Exchange, _ errors: UnsafeMutablePointer<CChar>?
    ) {
        porter_curl_set_string(easy, CURLOPT_URL, request.target)
        porter_curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        porter_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        porter_curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        porter_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        porter_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, limits.connect.milliseconds)
        porter_curl_set_long(easy, CURLOPT_TIMEOUT_MS, limits.total.milliseconds)
        // Both are set in any case, so that libcurl asks the environment for neither.
        porter_curl_set_string(easy, CURLOPT_PROXY, proxy ?? "")
        porter_curl_set_string(easy, CURLOPT_NOPROXY, proxy == nil ? "*" : "")
        if let file = options.authorityFile { porter_curl_set_string(easy, CURLOPT_CAINFO, file) }
        if let path = options.unixSocket { porter_curl_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, path) }
        porter_curl_set_pointer(easy, CURLOPT_HTTPHEADER, list)
        porter_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errors)
        porter_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
        if !body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) {
            porter_curl_set_long(easy, CURLOPT_POST, 1)
            porter_curl_set_pointer(
                easy, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: body.baseAddress) ?? Self.nothing)
            porter_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        }
        if request.method == "HEAD" { porter_curl_set_long(easy, CURLOPT_NOBODY, 1) }
        if !["GET", "HEAD"].contains(request.method) {
            porter_curl_set_long(easy, CURLOPT_FRESH_CONNECT, 1)
            porter_curl_set_long(easy, CURLOPT_FORBID_REUSE, 1)
        }
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        porter_curl_set_data_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            Exchange.from(context)?.receive(bytes, size * count) ?? 0
        }
        porter_curl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        porter_curl_set_data_callback(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            Exchange.from(context)?.receiveHeader(bytes, size * count) ?? 0
        }
        porter_curl_set_pointer(easy, CURLOPT_HEADERDATA, context)
        porter_curl_set_socket_callback(easy) { context, _, address in
            Exchange.from(context)?.openSocket(address) ?? CURL_SOCKET_BAD
        }
        porter_curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
    }

    /// Drives the call to its end, or cuts it.
    ///
    /// - Returns: libcurl's code; nil when the call was cut.
    private func run(_ cancellation: Cancellation) -> CURLcode? {
        curl_multi_add_handle(multi, easy)
        defer { curl_multi_remove_handle(multi, easy) }
        var running: Int32 = 1
        while true {
            guard !cancellation.isCancelled else { return nil }
            guard curl_multi_perform(multi, &running) == CURLM_OK else { return CURLE_FAILED_INIT }
            if running == 0 { break }
            curl_multi_poll(multi, nil, 0, Cancellation.pollInterval, nil)
        }
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            if message.pointee.msg == CURLMSG_DONE { return porter_curl_get_message(message) }
        }
        return CURLE_FAILED_INIT
    }

    private func answer(
        _ code: CURLcode?, _ message: String, _ exchange: Exchange
    ) throws(TransportError) -> Response {
        guard let code else { throw TransportError(.cancelled, "the program is ending") }
        if exchange.wasRefused {
            throw TransportError(.notAllowed, "the host resolves to a private address")
        }
        let words = message.isEmpty ? String(cString: curl_easy_strerror(code)) : message
        if exchange.isTooLarge {
            throw TransportError(.tooLarge, "the answer has more than \(exchange.maximumBodyBytes) bytes")
        }
        // A head that ends within itself is good enough for libcurl.
        guard code != CURLE_OK || exchange.isHeadWhole else {
            throw TransportError(.interrupted, "the answer was cut within its head")
        }
        guard code == CURLE_OK else {
            throw TransportError(isBeforeSending(code) ? .unreachable : .interrupted, words)
        }
        var status = 0
        porter_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        return Response(status: status, fields: exchange.fields, body: exchange.body)
    }

    /// Whether it is certain that nothing of the request was sent.
    ///
    /// Codes alone do not tell: garbage for an answer is `CURLE_UNSUPPORTED_PROTOCOL` ("HTTP/0.9").
    private func isBeforeSending(_ code: CURLcode) -> Bool {
        // The moment at which the request may go out; 0 as long as no connection stood.
        var ready: curl_off_t = 0
        porter_curl_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &ready)
        guard ready == 0 else { return false }
        switch code {
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_COULDNT_RESOLVE_PROXY,
            CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
            CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_FAILED_INIT,
            CURLE_OPERATION_TIMEDOUT:
            return true
        default:
            return false
        }
    }

    /// A body pointer that is not null, so that libcurl sends an empty body instead of reading one.
    private static var nothing: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

    /// The header lines; refuses what would begin another header.
    private static func headerLines(_ request: Request) throws(TransportError) -> [String] {
        let isMethod = request.method.utf8.allSatisfy { $0 >= 65 && $0 <= 90 }
        guard isMethod, !request.method.isEmpty else {
            throw TransportError(.notAllowed, "the method is not a word")
        }
        // Neither of these is wanted: no round trip before a body, no type that nobody set.
        var lines = ["Expect:"]
        if request.fields["Content-Type"] == nil { lines.append("Content-Type:") }
        for pair in request.fields.pairs {
            let isToken = pair.name.utf8.allSatisfy { $0 > 32 && $0 < 127 && !":;@".utf8.contains($0) }
            let isText = pair.value.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 9 }
            guard isToken, !pair.name.isEmpty, isText else {
                throw TransportError(.notAllowed, "a header field holds a line break or worse")
            }
            lines.append(pair.value.isEmpty ? "\(pair.name);" : "\(pair.name): \(pair.value)")
        }
        return lines
    }
}

/// What arrives during one call.
private final class Exchange {
    let maximumBodyBytes: Int
    private let mayBePrivate: Bool
    var body = Data()
    var fields = Fields()
    var isTooLarge = false
    var wasRefused = false
    /// Whether the empty line after the answer's fields has come.
    var isHeadWhole = false

    /// Bytes of all header lines together at most.
    private static let maximumHeaderBytes = 256 * 1024
    private var headerBytes = 0

    init(maximumBodyBytes: Int, mayBePrivate: Bool) {
        self.maximumBodyBytes = maximumBodyBytes
        self.mayBePrivate = mayBePrivate
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> Exchange? {
        context.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
    }

    func receive(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let bytes, body.count + count <= maximumBodyBytes else {
            isTooLarge = body.count + count > maximumBodyBytes
            return 0
        }
        body.append(UnsafeRawPointer(bytes).assumingMemoryBound(to: UInt8.self), count: count)
        return count
    }

    func receiveHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        headerBytes += count
        guard let bytes, headerBytes <= Self.maximumHeaderBytes else {
            isTooLarge = true
            return 0
        }
        let buffer = UnsafeRawBufferPointer(start: bytes, count: count)
        let line = String(decoding: buffer, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            fields = Fields()
            isHeadWhole = false
            return count
        }
        if line == "\r\n" || line == "\n" { isHeadWhole = true }
        guard let colon = line.firstIndex(of: ":") else { return count }
        let value = line[line.index(after: colon)...]
        fields.append(String(line[..<colon]), value.trimmingSpaces)
        return count
    }

    /// Opens the socket that libcurl asks for, unless the address is one that the call may not reach.
    func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>?) -> curl_socket_t {
        guard let address else { return CURL_SOCKET_BAD }
        if !mayBePrivate, isPrivate(address) {
            wasRefused = true
            return CURL_SOCKET_BAD
        }
        let type = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(address.pointee.family, type, address.pointee.protocol)
    }

    private func isPrivate(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Bool {
        let family = address.pointee.family
        return withUnsafeBytes(of: &address.pointee.addr) { raw in
            switch family {
            case AF_INET: return AddressRules.isPrivate(ipv4: Array(raw[4..<8]))
            case AF_INET6:
                // sockaddr_in6 is longer than the sockaddr in front: it follows in libcurl's own storage.
                let bytes = UnsafeRawBufferPointer(start: raw.baseAddress, count: 24)
                return AddressRules.isPrivate(ipv6: Array(bytes[8..<24]))
            default: return family != AF_UNIX
            }
        }
    }
}

extension Duration {
    /// Whole milliseconds.
    fileprivate var milliseconds: Int {
        Int(components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}

extension Substring {
    /// Without spaces, tabs and line breaks at both ends.
    fileprivate var trimmingSpaces: String {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}
