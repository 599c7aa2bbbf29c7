"""Inquiries: partial answers, each of its form, and what would make the answer better."""

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from leadline.core.engagement.inquiry import (
    QUESTIONS,
    UNKNOWN,
    Form,
    Gap,
    Inquiry,
    Question,
    answer,
    gaps,
)
from leadline.core.errors import Invalid

GOOD = {
    Form.TEXT: "a word",
    Form.NUMBER: "3e25",
    Form.COUNT: "90",
    Form.WHEN: "2027-01-15",
    Form.DIGEST: "ab" * 32,
    Form.STAGE: "under-development",
    Form.VARIANT: "both",
}
FULL = Inquiry({question: GOOD[asked.form] for question, asked in QUESTIONS.items()})


def test_every_question_can_be_answered_left_out_or_unknown() -> None:
    """Two answers are an inquiry; none is one as well."""
    assert set(QUESTIONS) == set(Question)
    assert gaps(FULL) == ()
    assert [note.gap for note in gaps(Inquiry())] == [Gap.OPEN] * len(Question)
    two = Inquiry().saying(Question.MODEL, " m ").saying(Question.STAGE, "Unknown")
    assert two.answers == {Question.MODEL: "m", Question.STAGE: UNKNOWN}
    assert two.to_record() == {
        "asked": "would this model be covered?",
        "model": "m",
        "stage": "unknown",
    }
    assert {note.question: note.gap for note in gaps(two)}[Question.STAGE] is Gap.UNKNOWN


@pytest.mark.parametrize(
    ("form", "text", "problem"),
    [
        (Form.TEXT, "  ", "is empty"),
        (Form.TEXT, "x" * 2001, "at most 2000"),
        (Form.TEXT, "a\x00b", "cannot be shown"),
        (Form.NUMBER, "1e26ish", "write it like 3e25"),
        (Form.NUMBER, "-3", "write it like 3e25"),
        (Form.NUMBER, "0e5", "no operation"),
        (Form.NUMBER, "nan", "write it like 3e25"),
        (Form.COUNT, "90.5", "write it like 90"),
        (Form.DIGEST, "AB" * 32, "64 digits"),
        (Form.STAGE, "soon", "under-development"),
        (Form.VARIANT, "safe", "with-safeguards"),
        (Form.WHEN, "2027-02-29", "write a day"),
        (Form.WHEN, "next spring", "write a day"),
        (Form.WHEN, "2027-01-15T09:00:00", "needs its offset"),
        (Form.WHEN, "2027-01-15T25:00:00Z", "write a day"),
        (Form.WHEN, "2027-01-15T09:00:00+99:00", "write a day"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_cure(form: Form, text: str, problem: str) -> None:
    """Each error names the key and what to write instead."""
    with pytest.raises(Invalid, match=problem) as told:
        answer("key", form, text)
    assert told.value.field == "key"


@pytest.mark.parametrize(
    ("form", "text"),
    [(Form.WHEN, "2028-02-29"), (Form.WHEN, "2027-03-28T02:30:00+01:00"), (Form.NUMBER, "3E+25")],
)
def test_leap_days_and_offsets_are_days(form: Form, text: str) -> None:
    """A day that exists, and a moment that its offset makes one moment."""
    assert answer("key", form, text) == text


def test_an_inquiry_holds_answers_in_their_one_spelling_alone() -> None:
    """What was not read by `answer` is refused."""
    with pytest.raises(Invalid, match="one spelling"):
        Inquiry({Question.MODEL: " m"})


def test_dates_and_stages_that_look_odd_are_worth_a_look() -> None:
    """They are notes, and keep nothing from being sent."""
    odd = FULL.saying(Question.PUBLIC_DATE, "2026-12-01").saying(Question.STAGE, "public")
    found = [(note.question, note.gap) for note in gaps(odd)]
    assert found == [(Question.PUBLIC_DATE, Gap.ODD), (Question.STAGE, Gap.ODD)]


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.sampled_from(list(Form)), st.text())
def test_an_answer_is_its_own_spelling(form: Form, text: str) -> None:
    """Whatever was typed: refused, or a spelling that stays as it is."""
    try:
        said = answer("key", form, text)
    except Invalid:
        reject()
    assert answer("key", form, said) == said
