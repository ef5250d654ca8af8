"""The interface, called as its own description says, in thousands of ways, through nginx.

Schemathesis makes the calls from public/openapi.json: right ones, wrong ones, with and without who asks. Here are 1,000
cases at least; PORTER_CASES=10000 (in `make test-long`) makes ten times as many.
"""

from __future__ import annotations
