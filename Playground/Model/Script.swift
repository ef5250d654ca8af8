import PlaygroundFace

/// What the model does, until it is told otherwise.
struct Script: Hashable, Sendable {
    /// Seconds that an answer may be kept waiting at most.
    static let mostDelay = 3600.0
    /// What the greeting program prints.
    static let greeting = "Hello, world!"

    /// Writes a program, runs it, and so shows that it works.
    static let greetingCommand = """
        cat > greet.sh <<'EOF'
        #!/bin/sh
        # Greets whoever is named, or the world.
        echo "Hello, ${1:-world}!"
        EOF
        chmod +x greet.sh && ./greet.sh
        """

    /// The shell command that the agent is asked to run.
    var command: String
    /// The last words; nil says what the command's result supports.
    var final: String?
    /// How every call fails; nil for none.
    var fault: Fault?
    /// Seconds before each answer.
    var delay = 0.0

    /// The greeting, but for what is named.
    init(command: String = Script.greetingCommand, final: String? = nil, fault: Fault? = nil) {
        self.command = command
        self.final = final
        self.fault = fault
    }

    init(_ options: Options) throws(UsageError) {
        self.init(command: options["command"] ?? Script.greetingCommand, final: options["final"])
        delay = try options.number("delay", within: 0...Self.mostDelay) ?? 0
        fault = try options.number("status", within: Fault.statuses).map(Fault.status)
        if let word = options["fault"] {
            guard let named = Fault(named: word) else {
                throw UsageError("--fault takes quota or context, not \"\(word)\"")
            }
            fault = named
        }
    }

    /// Changes what the object names; null brings the default back.
    ///
    /// - Returns: what is wrong with the object, nil when it was taken.
    mutating func change(_ body: JSON) -> String? {
        guard let members = body.object else { return "the body must be an object" }
        let blank = Script()
        var new = self
        for (name, value) in members {
            switch (name, value) {
            case ("command", .null): new.command = blank.command
            case ("command", .string(let text)): new.command = text
            case ("final", .null): new.final = nil
            case ("final", .string(let text)): new.final = text
            case ("status", .null), ("fault", .null), ("status", 0): new.fault = nil
            case ("status", .integer(let status)) where Fault.statuses.contains(Int(status)):
                new.fault = .status(Int(status))
            case ("fault", .string(let word)) where Fault(named: word) != nil: new.fault = Fault(named: word)
            case ("delay", .null): new.delay = 0
            case ("delay", _) where (0...Self.mostDelay).contains(value.double ?? -1):
                new.delay = value.double ?? 0
            default: return "\"\(name)\" is unknown or has a bad value"
            }
        }
        self = new
        return nil
    }

    /// The last words after the command printed that.
    func lastWords(_ result: String) -> String {
        if let final { return final }
        if command == Self.greetingCommand {
            return result.contains(Self.greeting)
                ? """
                I added `greet.sh`, a small program that greets whoever is named on its command line, or the \
                world. I ran it once: it printed "\(Self.greeting)"
                """
                : "I tried to add `greet.sh`, but running it did not print \"\(Self.greeting)\" as it should."
        }
        return "I ran the command that I was scripted to run, and nothing else."
    }
}

/// How a provider fails.
enum Fault: Hashable, Sendable {
    /// With the status, and the words that the provider has for it.
    case status(Int)
    /// The account has nothing left to spend.
    case quota
    /// The prompt is longer than the model's window.
    case context

    /// What `--status` takes.
    static let statuses = 400...599

    init?(named word: String) {
        switch word {
        case "quota": self = .quota
        case "context": self = .context
        default: return nil
        }
    }
}
