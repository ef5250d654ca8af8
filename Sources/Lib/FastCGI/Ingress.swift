import Glibc

/// Where requests come from.
package enum Ingress: Hashable, Sendable {
    /// A listening socket.
    case listening(descriptor: Int32)
    /// This one request, by the rules of CGI.
    case cgi

    /// Looks in this order: `LISTEN_FDS`, a listening descriptor 0, the address, then
    /// CGI if `REQUEST_METHOD` is set.
    ///
    /// - Parameter address: `PORTER_FCGI_SOCKET`, a path or `host:port`.
    /// - Throws: ``IngressError`` when there is none of these, or the address cannot be listened at.
    package static func find(
        environment: [String: String], address: String?
    ) throws(IngressError) -> Ingress {
        if let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count >= 1,
            environment["LISTEN_PID"] == String(getpid())
        {
            return .listening(descriptor: 3)
        }
        if isListening(0) { return .listening(descriptor: 0) }
        if let address, !address.isEmpty { return .listening(descriptor: try listen(address)) }
        if let method = environment["REQUEST_METHOD"], !method.isEmpty { return .cgi }
        throw IngressError(
            isUsage: true,
            "there is no socket: start it by its socket unit, or name one in PORTER_FCGI_SOCKET")
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value == 1
    }

    private static func listen(_ address: String) throws(IngressError) -> Int32 {
        if !address.hasPrefix("/"), let colon = address.lastIndex(of: ":"),
            let port = UInt16(address[address.index(after: colon)...])
        {
            return try listen(host: String(address[..<colon]), port: port)
        }
        return try listen(path: address)
    }

    /// Connections that wait to be accepted.
    private static let backlog: Int32 = 1024

    private static func listen(path: String) throws(IngressError) -> Int32 {
        var socketAddress = sockaddr_un()
        socketAddress.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: socketAddress.sun_path)
        guard bytes.count < room else {
            throw IngressError("the path \(path) is longer than \(room - 1) bytes")
        }
        withUnsafeMutableBytes(of: &socketAddress.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = try open(AF_UNIX)
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connects = withUnsafePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        guard connects != 0 else {
            close(descriptor)
            throw IngressError("another program listens at \(path)")
        }
        // A socket that nobody listens at was left by a program that is gone; other files stay. Connecting to
        // a file that is no socket is refused as well.
        if errno == ECONNREFUSED, isSocket(path) { unlink(path) }
        let mask = umask(0o117)
        let bound = withUnsafePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        umask(mask)
        return try finish(descriptor, bound, path)
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    private static func listen(host: String, port: UInt16) throws(IngressError) -> Int32 {
        var socketAddress = sockaddr_in()
        socketAddress.sin_family = sa_family_t(AF_INET)
        socketAddress.sin_port = port.bigEndian
        let name = host == "localhost" ? "127.0.0.1" : host
        guard inet_pton(AF_INET, name, &socketAddress.sin_addr) == 1 else {
            throw IngressError("\(host) is no IPv4 address")
        }
        let descriptor = try open(AF_INET)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound = withUnsafePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return try finish(descriptor, bound, "\(host):\(port)")
    }

    private static func open(_ family: Int32) throws(IngressError) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw IngressError("a socket: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    private static func finish(
        _ descriptor: Int32, _ bound: Int32, _ name: String
    ) throws(IngressError) -> Int32 {
        guard bound == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let why = String(cString: strerror(errno))
            close(descriptor)
            throw IngressError("cannot listen at \(name): \(why)")
        }
        return descriptor
    }
}

/// There is nothing to serve.
package struct IngressError: Error, Equatable, CustomStringConvertible {
    /// Whether the program was called wrongly (exit 64), and not merely refused by the system (exit 69).
    package let isUsage: Bool
    /// What could not be listened at and why, or how to name a socket.
    package let description: String

    init(isUsage: Bool = false, _ description: String) {
        self.isUsage = isUsage
        self.description = description
    }
}
