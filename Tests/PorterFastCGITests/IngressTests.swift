import Foundation
import Glibc
import PorterTestSupport
import Testing

@testable import PorterFastCGI

@Suite struct IngressTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func refusal(_ environment: [String: String], _ address: String?) -> IngressError? {
        do throws(IngressError) {
            _ = try Ingress.find(environment: environment, address: address)
            return nil
        } catch {
            return error
        }
    }

    private func descriptor(at address: String) throws -> Int32 {
        guard case .listening(let descriptor) = try Ingress.find(environment: [:], address: address) else {
            throw POSIXError(.EINVAL)
        }
        return descriptor
    }

    // The rest of the order, descriptor 0 first, is seen from outside: `ProgramTests`.
    @Test func `sockets that were passed on come before everything else`() throws {
        let path = folder.file("s")
        let passed = ["LISTEN_FDS": "1", "LISTEN_PID": "\(getpid())", "REQUEST_METHOD": "GET"]

        #expect(try Ingress.find(environment: passed, address: path) == .listening(descriptor: 3))

        #expect(access(path, F_OK) != 0)
    }

    @Test(arguments: [
        ["LISTEN_FDS": "1"], ["LISTEN_FDS": "1", "LISTEN_PID": "1"], ["LISTEN_FDS": "0", "LISTEN_PID": "-"],
        ["LISTEN_FDS": "x", "LISTEN_PID": "-"], ["LISTEN_FDS": "-1", "LISTEN_PID": "-"], ["LISTEN_PID": "-"],
    ])
    func `sockets that were passed to another process are not taken`(given: [String: String]) throws {
        var environment = given
        if environment["LISTEN_PID"] == "-" { environment["LISTEN_PID"] = "\(getpid())" }

        #expect(refusal(environment, nil)?.isUsage == true)
        environment["REQUEST_METHOD"] = "GET"
        #expect(try Ingress.find(environment: environment, address: nil) == .cgi)
        environment["REQUEST_METHOD"] = ""
        #expect(refusal(environment, "")?.isUsage == true)
    }

    @Test func `the address comes before CGI`() throws {
        let path = folder.file("s")
        let ingress = try Ingress.find(environment: ["REQUEST_METHOD": "GET"], address: path)

        guard case .listening(let descriptor) = ingress else {
            Issue.record("it is \(ingress)")
            return
        }
        close(descriptor)
    }

    @Test func `a socket may be used by its owner and group only`() throws {
        let path = folder.file("s")
        let descriptor = try descriptor(at: path)
        defer { close(descriptor) }
        var status = stat()

        #expect(lstat(path, &status) == 0)

        #expect(status.st_mode & S_IFMT == S_IFSOCK)
        #expect(status.st_mode & 0o777 == 0o660)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func `a socket that was left behind is replaced`() throws {
        let path = folder.file("s")
        close(try descriptor(at: path))

        let descriptor = try descriptor(at: path)
        defer { close(descriptor) }

        let client = try FastCGIClient(path)
        client.leave()
    }

    @Test func `a socket that somebody listens at is left alone`() throws {
        let path = folder.file("s")
        let descriptor = try descriptor(at: path)
        defer { close(descriptor) }

        let error = refusal([:], path)

        #expect(error?.isUsage == false)
        #expect(error?.description == "another program listens at \(path)")
        let client = try FastCGIClient(path)
        client.leave()
    }

    @Test func `what is no socket is never removed`() throws {
        let file = try folder.write("precious", to: "file")
        let inner = folder.file("folder")
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
        let link = folder.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)

        for path in [file, inner, link] {
            let error = refusal([:], path)
            #expect(error?.isUsage == false, "\(path)")
            #expect(error?.description.contains(path) == true)
        }

        #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == file)
    }

    @Test func `a path that is too long or lies nowhere is refused with its reason`() {
        let long = "/tmp/" + String(repeating: "x", count: 103)
        #expect(refusal([:], long)?.description == "the path \(long) is longer than 107 bytes")
        let nowhere = folder.file("nowhere/s")
        #expect(
            refusal([:], nowhere)?.description == "cannot listen at \(nowhere): No such file or directory")
    }

    @Test func `a host and a port are listened at`() throws {
        for host in ["127.0.0.1", "localhost"] {
            let descriptor = try descriptor(at: "\(host):0")
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let named = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(descriptor, $0, &length)
                }
            }
            #expect(named == 0)
            #expect(address.sin_port != 0)
            #expect(UInt32(bigEndian: address.sin_addr.s_addr) == 0x7f00_0001)
            close(descriptor)
        }
    }

    @Test func `a host that is no address is refused`() {
        #expect(refusal([:], "porter.example:9000")?.description == "porter.example is no IPv4 address")
    }
}
