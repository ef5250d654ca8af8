// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A Swift module of the library, in the folder of `Sources/Lib` that bears its name.
func lib(_ folder: String, named name: String? = nil, _ uses: Target.Dependency...) -> Target {
    .target(
        name: name ?? "Porter\(folder)",
        dependencies: uses,
        path: "Sources/Lib/\(folder)",
        swiftSettings: strict
    )
}

/// A module map over a library that the distribution provides, or over a header of our own for what Swift cannot.
func c(_ folder: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(
        name: "C\(folder)",
        path: "Sources/Lib/C/\(folder)",
        pkgConfig: pkgConfig,
        providers: [.apt([apt])]
    )
}

/// One of Porter's programs: wiring only, the work is in the library.
func program(_ name: String, _ uses: Target.Dependency...) -> Target {
    .executableTarget(
        name: name,
        dependencies: uses,
        path: "Sources/\(name)",
        swiftSettings: strict
    )
}

/// A face of the outside world, in the folder of `Playground` that bears its name.
func playground(_ folder: String, _ uses: Target.Dependency...) -> Target {
    .target(
        name: "Playground\(folder)",
        dependencies: uses,
        path: "Playground/\(folder)",
        swiftSettings: strict
    )
}

/// The tests of the module of that name.
func tests(_ module: String, _ uses: Target.Dependency...) -> Target {
    .testTarget(
        name: "\(module)Tests",
        dependencies: [.target(name: module), "PorterTestSupport"] + uses,
        path: "Tests/\(module)Tests",
        swiftSettings: strict
    )
}

let package = Package(
    name: "porter",
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
    ],
    targets: [
        // C.
        c("Bytes", apt: "libc6-dev"),
        c("Linux", apt: "libc6-dev"),
        c("SQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        c("FastCGI", pkgConfig: "fcgi", apt: "libfcgi-dev"),
        c("Curl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        c("OpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),

        // The library. A line may name only lines above it.
        lib("Porter", named: "Porter"),
        lib("Crypto", "COpenSSL"),
        lib("HTTP", "CCurl"),
        lib("Process", "CLinux"),
        lib(
            "Server", "PorterHTTP", "PorterProcess", .product(name: "FlyingFox", package: "FlyingFox"),
            .product(name: "FlyingSocks", package: "FlyingFox")
        ),
        lib("FastCGI", "PorterHTTP", "PorterProcess", "CFastCGI", "CLinux"),
        lib("Commands", "Porter", "CBytes"),
        lib("Prompt", "Porter"),
        lib("Agents", "Porter"),
        lib(
            "Store", "Porter", "PorterProcess", "CLinux", "CSQLite",
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "GRDBSQLite", package: "GRDB.swift")),
        lib("GitHub", "Porter", "PorterHTTP", "PorterCrypto"),
        lib("Machines", "Porter", "PorterHTTP"),
        lib("Work", "Porter", "PorterStore", "PorterCommands", "PorterPrompt", "PorterAgents"),
        lib(
            "Web", "Porter", "PorterAgents", "PorterCommands", "PorterCrypto", "PorterHTTP", "PorterGitHub",
            "PorterStore", "PorterWork"
        ),
        lib("Settings", "Porter", .product(name: "Logging", package: "swift-log")),
        lib(
            "Bootstrap", "Porter", "PorterCrypto", "PorterHTTP", "PorterStore", "PorterGitHub",
            "PorterMachines", "PorterAgents", "PorterWork", "PorterWeb", "PorterSettings", "PorterProcess",
            .product(name: "Logging", package: "swift-log")
        ),
        lib(
            "Worker", "Porter", "PorterHTTP", "PorterAgents", "PorterProcess", "PorterSettings",
            .product(name: "Logging", package: "swift-log")
        ),
        lib(
            "Runner", "Porter", "PorterHTTP", "PorterProcess", "PorterServer", "PorterSettings", "CLinux",
            .product(name: "Logging", package: "swift-log")
        ),

        // The programs.
        program(
            "porter-fcgi", "Porter", "PorterBootstrap", "PorterFastCGI", "PorterHTTP", "PorterProcess",
            "PorterSettings", "PorterWeb"
        ),
        program(
            "porter-watchdog", "Porter", "PorterBootstrap", "PorterSettings", "PorterStore", "PorterWork"
        ),
        program("porter-worker", "PorterWorker", "PorterSettings"),
        program("porter-runner", "PorterRunner", "PorterSettings"),
        program(
            "porterctl", "Porter", "PorterBootstrap", "PorterSettings", "PorterStore", "PorterWeb",
            "PorterWork"
        ),

        // The outside world on loopback, for development and tests; never packaged.
        playground("Face", "PorterHTTP", "PorterProcess", "PorterServer", "PorterSettings"),
        playground(
            "GitHub", "PlaygroundFace", "Porter", "PorterCrypto", "PorterHTTP", "PorterProcess",
            "PorterServer", "PorterSettings"
        ),
        playground("Model", "PlaygroundFace", "PorterHTTP", "PorterSettings"),
        playground(
            "Machines", "PlaygroundFace", "Porter", "PorterHTTP", "PorterProcess", "PorterServer",
            "PorterSettings"
        ),
        .executableTarget(
            name: "porter-playground",
            dependencies: [
                "PlaygroundGitHub", "PlaygroundMachines", "PlaygroundModel", "PorterSettings",
            ],
            path: "Playground/porter-playground",
            swiftSettings: strict
        ),

        // The tests.
        .target(
            name: "PorterTestSupport",
            dependencies: ["Porter", "PorterHTTP", "PorterProcess"],
            path: "Tests/Support",
            swiftSettings: strict
        ),
        .target(
            name: "PorterTestWorld",
            dependencies: ["Porter", "PorterAgents", "PorterStore", "PorterWork"],
            path: "Tests/World",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "porter-chaos",
            dependencies: [
                "CLinux", "Porter", "PorterAgents", "PorterStore", "PorterTestWorld", "PorterWork",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Tests/Chaos",
            exclude: ["kill-at-step.c"],
            swiftSettings: strict
        ),
        tests("Porter"),
        tests("PorterCrypto"),
        tests("PorterHTTP"),
        tests("PorterFastCGI", "PorterHTTP", "PorterProcess"),
        tests("PorterServer", "PorterHTTP", "PorterProcess"),
        tests("PorterProcess"),
        tests("PorterCommands", "Porter"),
        tests("PorterPrompt", "Porter"),
        tests("PorterAgents", "Porter"),
        tests("PorterStore", "Porter", .product(name: "GRDB", package: "GRDB.swift")),
        tests("PorterGitHub", "Porter", "PorterHTTP", "PorterCrypto", "PorterProcess"),
        tests("PorterMachines", "Porter", "PorterHTTP"),
        tests(
            "PorterWork", "Porter", "PorterStore", "PorterCommands", "PorterAgents", "PorterGitHub",
            "PorterHTTP", "PorterMachines", "PorterTestWorld"
        ),
        tests(
            "PorterWeb", "Porter", "PorterHTTP", "PorterCrypto", "PorterStore", "PorterWork",
            "PorterTestWorld", .product(name: "GRDB", package: "GRDB.swift")
        ),
        tests("PorterSettings", "Porter", .product(name: "Logging", package: "swift-log")),
        tests("PorterBootstrap", "Porter", "PorterProcess", "PorterSettings", "PorterWork"),
        tests("PorterWorker", "Porter", "PorterHTTP", "PorterProcess", "PorterSettings"),
        tests("PorterRunner", "Porter", "PorterHTTP", "PorterMachines", "PorterProcess", "PorterSettings"),
        .testTarget(
            name: "PlaygroundTests",
            dependencies: [
                "PlaygroundFace", "PlaygroundGitHub", "PlaygroundMachines", "PlaygroundModel", "Porter",
                "PorterAgents", "PorterCrypto", "PorterGitHub", "PorterHTTP", "PorterMachines",
                "PorterProcess", "PorterServer", "PorterTestSupport", "PorterWorker",
            ],
            path: "Tests/PlaygroundTests",
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
