"""What our own side failed of, by name: read from the error that ended a sample, never from a score.

The names stand in the evidence as the sample's outcome; its state is ``infra``. Names of exceptions
decide, not their words, which an endpoint chooses. An error that wraps others is named by the first
of these causes that is among them.
"""

import re

MALFORMED_CALLS = "malformed_tool_calls"  # the subject's own doing, so no failure of ours
UNKNOWN = "infra"

_CAUSES = {
    "oversized_answer": {"OversizedAnswerError"},
    "rate_limited": {"RateLimitError", "TooManyRequests", "ResourceExhausted"},
    "endpoint_denied": {"AuthenticationError", "PermissionDeniedError", "NotFoundError"},
    "malformed_answer": {"JSONDecodeError", "APIResponseValidationError", "UnicodeDecodeError"},
    "endpoint_error": {"InternalServerError", "APIStatusError", "ServiceUnavailable"},
    "endpoint_unreachable": {
        "APIConnectionError",
        "ConnectError",
        "RemoteProtocolError",
        "ReadError",
    },
    "endpoint_timeout": {
        "AttemptTimeoutError",
        "APITimeoutError",
        "ConnectTimeout",
        "ReadTimeout",
        "DeadlineExceeded",
    },
    "sandbox": {"SandboxUnavailableError", "Unusable"},
    "judge": {"Unavailable"},
}
# An exception's own line in a traceback, a group's branch marks before it; and the one that a retry
# gave up on.
_LINE = re.compile(r"^[ |+]*(?:[\w.]+\.)?([A-Z]\w+)(?::|$)", re.MULTILINE)
_RAISED = re.compile(r"\braised (\w+)")


def cause(message: str, traceback: str) -> str:
    """The name of what ended a sample, from the error's *message* and *traceback*."""
    gave_up_on = set(_RAISED.findall(message))
    return _named(gave_up_on) or _named(set(_LINE.findall(traceback))) or UNKNOWN


def _named(exceptions: set[str]) -> str:
    return next((name for name, known in _CAUSES.items() if known & exceptions), "")
