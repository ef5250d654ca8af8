import FoundationEssentials
import Porter
import PorterHTTP

/// Calls the Machines API.
///
/// - SeeAlso: <https://fly.io/docs/machines/api/machines-resource/>
struct MachinesClient: Sendable {
    /// Creating a machine took Fly up to 2.5 s; listing is quick.
    static let limits = Transport.Limits(total: .seconds(20), maximumBodyBytes: 16 * 1024 * 1024)

    let transport: Transport
    let baseURL: String
    let app: String
    let token: Secret?

    func create(_ plan: MachinePlan) throws(MachinesError) -> Machine {
        let operation = "create machine"
        let response = try call(
            operation, "POST", "", body: SureJSON.data(CreateJSON(plan)),
            hiding: plan.environment[Self.secretVariable])
        return try Self.decode(MachineJSON.self, response, operation).value
    }

    /// The one variable of a machine that no error may show.
    private static let secretVariable = "PORTER_CALLBACK_TOKEN"

    func find(_ id: String) throws(MachinesError) -> Machine? {
        let operation = "find machine"
        do {
            let response = try call(operation, "GET", "/\(Self.encoded(id))")
            return try Self.decode(MachineJSON.self, response, operation).value
        } catch {
            guard Self.saysNoMachine(error) else { throw error }
            return nil
        }
    }

    func list(_ key: String, _ value: String, includeGone: Bool) throws(MachinesError) -> [Machine] {
        let operation = "list machines"
        var query = "?metadata.\(Self.encoded(key))=\(Self.encoded(value))"
        if includeGone { query += "&include_deleted=true" }
        let response = try call(operation, "GET", query)
        return try Self.decode([MachineJSON].self, response, operation).map(\.value)
    }

    func destroy(_ id: String) throws(MachinesError) {
        do {
            _ = try call("destroy machine", "DELETE", "/\(Self.encoded(id))?force=true")
        } catch {
            guard Self.saysNoMachine(error) else { throw error }
        }
    }

    /// Whether the engine says that it does not know the machine.
    ///
    /// A 404 in plain text comes from an address that is not the API's, and one about the app from a wrong
    /// app: neither says anything about the machine.
    private static func saysNoMachine(_ error: MachinesError) -> Bool {
        let words = error.message.lowercased()
        return error.status == 404 && words.contains("machine") && words.contains("not found")
    }

    private func call(
        _ operation: String, _ method: String, _ rest: String, body: Data? = nil,
        hiding secret: Secret? = nil
    ) throws(MachinesError) -> Response {
        var request = Request(
            method: method, target: "\(baseURL)/apps/\(Self.encoded(app))/machines\(rest)",
            fields: ["Accept": "application/json", "User-Agent": "Porter/\(Porter.version)"],
            body: body ?? Data())
        if body != nil { request.fields["Content-Type"] = "application/json" }
        if let token { request.fields["Authorization"] = token.reveal(Self.authorization) }
        let response: Response
        do {
            response = try transport.send(request, Self.limits)
        } catch {
            let isCertain = error.code == .unreachable || error.code == .notAllowed
            throw MachinesError(
                isCertain ? .unreachable : .uncertain, operation: operation, message: error.description)
        }
        if (200..<300).contains(response.status) { return response }
        throw Self.refusal(response, operation, hiding: [token, secret].compactMap { $0 })
    }

    /// As fly-go does: schemes before the tokens go, in any case and number; macaroons get their own, and
    /// everything else is a bearer.
    static func authorization(_ token: String) -> String {
        var words = token.split(whereSeparator: \.isWhitespace)
        while words.count > 1, let scheme = words.first?.lowercased(), ["bearer", "flyv1"].contains(scheme) {
            words.removeFirst()
        }
        let bare = words.joined(separator: " ")
        let isMacaroon = bare.split(separator: ",").contains { part in
            ["fm1r_", "fm1a_", "fm2_"].contains { part.hasPrefix($0) }
        }
        return (isMacaroon ? "FlyV1 " : "Bearer ") + bare
    }

    private struct ErrorJSON: Decodable {
        let error: String?
        let message: String?
        let status: String?
    }

    private static func refusal(
        _ response: Response, _ operation: String, hiding secrets: [Secret]
    ) -> MachinesError {
        let body = try? JSONDecoder().decode(ErrorJSON.self, from: response.body)
        let said =
            body?.error ?? body?.message ?? String(decoding: response.body.prefix(300), as: UTF8.self)
        let words = secrets.reduce(said) { words, secret in
            secret.reveal { $0.isEmpty ? words : words.replacing($0, with: "<redacted>") }
        }
        return MachinesError(
            code(response.status, words, body?.status), operation: operation, status: response.status,
            message: String(words.prefix(500)), requestID: response.fields["Fly-Request-Id"])
    }

    private static func code(_ status: Int, _ words: String, _ kind: String?) -> MachinesError.Code {
        // fly-go's rule: the word is trusted where it is given, whatever the status.
        if ["insufficient_capacity", "volume_placement_capacity"].contains(kind) { return .noCapacity }
        switch status {
        case 401, 403: return .unauthorized
        case 409:
            if let id = takenBy(words) { return .nameTaken(id: id) }
            return words.contains("insufficient") ? .noCapacity : .uncertain
        case 408, 429, 500...: return .uncertain
        case 400..<500 where words.lowercased().contains("manifest") || words.lowercased().contains("image"):
            return .imageUnavailable
        default: return .refused
        }
    }

    /// The id in `machine ID <id> already exists with name "<name>"`.
    private static func takenBy(_ words: String) -> String? {
        guard words.contains("already exists"), let start = words.firstRange(of: "machine ID ") else {
            return nil
        }
        let id = words[start.upperBound...].prefix { $0.isLetter || $0.isNumber }
        return id.isEmpty ? nil : String(id)
    }

    private static func decode<T: Decodable>(
        _ type: T.Type, _ response: Response, _ operation: String
    ) throws(MachinesError) -> T {
        do {
            return try JSONDecoder().decode(type, from: response.body)
        } catch {
            throw MachinesError(
                .uncertain, operation: operation, status: response.status,
                message: "the answer is no such JSON", requestID: response.fields["Fly-Request-Id"])
        }
    }

    private static func encoded(_ component: String) -> String {
        var text = ""
        for byte in component.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "%" + [byte].hexadecimal.uppercased()
            }
        }
        return text
    }
}
