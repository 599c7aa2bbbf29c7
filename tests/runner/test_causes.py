"""Failures of our own side are told by the names of exceptions, never by an endpoint's words."""

import pytest

from leadline.runner.causes import UNKNOWN, cause


@pytest.mark.parametrize(
    ("message", "traceback", "name"),
    [
        ("RetryError(<Future state=finished raised RateLimitError>)", "", "rate_limited"),
        (
            "RetryError(<Future state=finished raised APIConnectionError>)",
            "httpcore.ConnectTimeout: slow\nopenai.APIConnectionError: Connection error.",
            "endpoint_unreachable",
        ),
        ("", "    raise X\nopenai.InternalServerError: Error code: 500", "endpoint_error"),
        ("", "json.decoder.JSONDecodeError: Expecting value", "malformed_answer"),
        ("", "  | leadline.runner.endpoint.OversizedAnswerError: over", "oversized_answer"),
        ("", "FileNotFoundError: no\nleadline.core.errors.Unavailable: could not", "judge"),
        ("", "leadline.sandbox.survey.Unusable: no bwrap", "sandbox"),
        ("", "openai.NotFoundError: no such model", "endpoint_denied"),
        ("", "inspect_ai.model._model.AttemptTimeoutError: '2' exceeded", "endpoint_timeout"),
    ],
)
def test_a_cause_is_named(message: str, traceback: str, name: str) -> None:
    """Each known exception has its name, also where another one wraps it."""
    assert cause(message, traceback) == name


def test_words_of_an_endpoint_decide_nothing() -> None:
    """Text that quotes an exception's name within a message names nothing."""
    assert cause("a page about RateLimitError", "ValueError: see RateLimitError: x") == UNKNOWN
    assert cause("", "") == UNKNOWN
