"""What schemathesis must know to call Porter as its callers do: how deliveries are signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

import schemathesis

SECRET = os.environ.get("PORTER_TEST_WEBHOOK_SECRET", "").encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Signs a delivery that means to be signed; a test that leaves the signature out is left alone."""
    if case.operation.path != "/api/webhooks/github" or not case.headers or "X-Hub-Signature-256" not in case.headers:
        return
    sent = case.as_transport_kwargs()
    body = sent.get("data") if sent.get("data") is not None else json.dumps(sent.get("json")).encode()
    body = body.encode() if isinstance(body, str) else body
    case.headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
