"""Requests and verdicts: nothing can be said in them that was not agreed."""

from dataclasses import fields, replace
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core.errors import Invalid, Refused
from leadline.core.sealed import verdict
from leadline.core.sealed.verdict import RunRequest, Verdict

D = sha256(b"d").hexdigest()
HEX = "0123456789abcdef" * 2
REQUEST = RunRequest(
    f"request-{HEX}", f"thing-{HEX}", D, "family-a", D, D, make.NOW + timedelta(days=7)
)
VERDICT = Verdict(
    f"verdict-{HEX}", REQUEST.id, D, D, 40, 50, 10, 90, 25, D, D, "local-process", "custody"
)


def test_the_forms_agreed_are_taken() -> None:
    """Both as they should be."""
    verdict.check_request(REQUEST)
    verdict.check_verdict(VERDICT)
    verdict.check_answer(VERDICT, REQUEST, D, make.NOW)
    assert "answered" not in verdict.request_record(REQUEST)


TEXTS = [part.name for part in fields(Verdict) if part.type is str]


@given(name=st.sampled_from(TEXTS), text=st.text(max_size=80))
def test_no_field_of_a_verdict_takes_free_text(name: str, text: str) -> None:
    """Whatever text stands in any field is refused, unless it happens to be of the form."""
    changed = replace(VERDICT, **{name: text})  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        verdict.check_verdict(changed)


@pytest.mark.parametrize("name", ["id", "pack", "model", "family", "terms", "nonce"])
def test_no_field_of_a_request_takes_free_text(name: str) -> None:
    """Sentences, line breaks and paths are refused by the field's name."""
    for text in ("Hello there", "a\nb", "../x", "", "A" * 64):
        with pytest.raises(Invalid, match=name):
            verdict.check_request(replace(REQUEST, **{name: text}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [{"low": 50}, {"high": 101}, {"interval_low": -1}, {"items": 0}, {"items": 100_001}],
)
def test_numbers_out_of_range_are_refused(changed: dict[str, int]) -> None:
    """Ranges are percent; items as many as a pack may hold."""
    with pytest.raises(Invalid):
        verdict.check_verdict(replace(VERDICT, **changed))  # type: ignore[arg-type]


def test_only_the_first_answer_in_time_to_a_request_of_ours_counts() -> None:
    """Unasked, answered, late, about another request or another model: refused."""
    later = make.NOW + timedelta(days=7)
    cases = [
        (VERDICT, None, make.NOW, "nobody here asked"),
        (VERDICT, replace(REQUEST, answered=True), make.NOW, "answered already"),
        (VERDICT, REQUEST, later, "ended on"),
        (replace(VERDICT, request="0" * 64), REQUEST, make.NOW, "another request"),
        (replace(VERDICT, model="0" * 64), REQUEST, make.NOW, "another model"),
    ]
    for told, request, now, words in cases:
        with pytest.raises(Refused, match=words):
            verdict.check_answer(told, request, D, now)
