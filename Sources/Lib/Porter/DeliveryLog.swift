extension GitHub {
    /// A try at a delivery, as the App's own log shows it.
    ///
    /// - SeeAlso: <https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook>
    package struct LoggedDelivery: Hashable, Sendable {
        /// The try's id in the log; ids rise with time.
        package var id: Int64
        /// `X-GitHub-Delivery`, one for all tries at the same delivery.
        package var guid: String
        /// `X-GitHub-Event`.
        package var event: String
        /// The payload's `action`; nil for events that have none.
        package var action: String?
        /// When it was tried.
        package var deliveredAt: Instant
        /// Whether the other side answered 2xx.
        package var isSuccess: Bool

        /// A try.
        package init(
            id: Int64, guid: String, event: String, action: String?, deliveredAt: Instant, isSuccess: Bool
        ) {
            self.id = id
            self.guid = guid
            self.event = event
            self.action = action
            self.deliveredAt = deliveredAt
            self.isSuccess = isSuccess
        }
    }

    /// What a logged delivery said.
    package struct LoggedPayload: Hashable, Sendable {
        /// Decoded as if it had arrived.
        package var event: WebhookEvent
        /// The payload's `action`.
        package var action: String?

        /// What it said.
        package init(event: WebhookEvent, action: String?) {
            self.event = event
            self.action = action
        }
    }
}
