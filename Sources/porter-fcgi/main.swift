import FoundationEssentials
import Glibc
import Porter
import PorterBootstrap
import PorterFastCGI
import PorterHTTP
import PorterProcess
import PorterSettings
import PorterWeb

// The responder: webhooks, callbacks and the operator's addresses, with the dispatcher beside them.

Responder.prepareProcess()
Program.fcgi.takeNoArguments(Array(CommandLine.arguments.dropFirst()))
let instance = Instance.start(.fcgi)
let ingress: Ingress
do throws(IngressError) {
    ingress = try Ingress.find(
        environment: ProcessInfo.processInfo.environment, address: instance.configuration.fcgiSocket)
} catch {
    Say.line("porter-fcgi: \(error)")
    (error.isUsage ? ExitCode.usage : .unavailable).leave()
}
if ingress != .cgi { StartupPages.giveBack() }
// A program that answers one request asks nobody else about the App for it.
let site = instance.makeSite(watchesApp: ingress != .cgi)
let responder = Responder(
    threads: instance.configuration.fcgiThreads,
    log: { instance.journal.record(.warning, $0, $1) },
    handler: { incoming, respond in
        let state: Site.BodyState =
            switch incoming.bodyState {
            case .whole: .whole
            case .short, .unknown: .broken
            case .tooLarge: .tooLarge
            }
        site.answer(incoming.request, body: state, respond)
    })

switch ingress {
case .cgi:
    responder.serveOnce(environment: ProcessInfo.processInfo.environment)
case .listening(let descriptor):
    let dispatcher = instance.startDispatcher()
    instance.journal.record(.notice, "serving", ["threads": "\(responder.threads)"])
    let isDrained = responder.serve(
        descriptor, until: { Responder.waitForSignal() },
        whenDraining: {
            dispatcher.prepareToStop()
            instance.cancellation.cancel()
        })
    dispatcher.stop(atMost: .milliseconds(400))
    instance.journal.record(.notice, "stopped", ["drained": "\(isDrained)"])
    // A peer that never finished its request still holds a thread; it ends with the process.
    _exit(ExitCode.done.rawValue)
}
