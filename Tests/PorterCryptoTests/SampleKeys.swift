import Foundation
import PorterTestSupport

/// Keys of every kind, made anew for each run by the `openssl` command.
enum SampleKeys {
    /// Whether the command is there.
    static let canBeMade = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    /// RSA of 2048 bits, PKCS#8.
    static let rsa = made("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    /// The same in the form of PKCS#1.
    static let rsaTraditional = made("rsa", "-traditional", from: rsa)
    /// The public half of ``rsa``.
    static let rsaPublic = made("pkey", "-pubout", from: rsa)
    /// An elliptic-curve key, P-256.
    static let elliptic = made("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    /// RSA of 1024 bits.
    static let short = made("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    /// ``rsa`` under a passphrase, PKCS#8.
    static let encrypted = made("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:p", from: rsa)
    /// ``rsa`` under a passphrase, in the form of PKCS#1.
    static let encryptedTraditional = made("rsa", "-traditional", "-aes256", "-passout", "pass:p", from: rsa)

    /// What the command writes when it gets the input.
    private static func made(_ arguments: String..., from input: String = "") -> String {
        (try? TemporaryFolder.use { folder in
            let source = try folder.write(input, to: "in")
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments =
                arguments + (input.isEmpty ? [] : ["-in", source]) + ["-out", folder.file("out")]
            process.standardInput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return try String(contentsOfFile: folder.file("out"), encoding: .utf8)
        }) ?? "the openssl command failed"
    }

    /// The command's exit code for a signature over a message under ``rsaPublic``.
    static func verify(_ signature: [UInt8], over message: [UInt8]) throws -> Int32 {
        try TemporaryFolder.use { folder in
            try folder.write(rsaPublic, to: "public.pem")
            try Data(message).write(to: URL(fileURLWithPath: folder.file("message")))
            try Data(signature).write(to: URL(fileURLWithPath: folder.file("signature")))
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = [
                "dgst", "-sha256", "-verify", folder.file("public.pem"), "-signature",
                folder.file("signature"), folder.file("message"),
            ]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
    }
}
