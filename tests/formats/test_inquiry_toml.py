"""`inquiry.toml` and `submission.toml`: read, written, and read again."""

from collections.abc import Callable

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from leadline.core.engagement.inquiry import Inquiry, Question
from leadline.core.engagement.submission import Fact, Origin, Part, Piece, Submission
from leadline.core.errors import Invalid
from leadline.formats import inquiry_toml as files

PIECE = Piece(Part.MODEL_CARD, "card.md", "ab" * 32, 9, Origin.HUGGING_FACE_CARD, 'a "card"\x7f')
PACK = Submission(
    {Fact.MODEL: "m", Fact.RETENTION_DAYS: "90"}, (PIECE,), frozenset({Part.RED_TEAM})
)


def test_a_file_by_hand_may_say_numbers_and_days_as_such() -> None:
    """TOML's own numbers, days and moments are taken, as text is."""
    written = b"""
model = "demonstration-model"
training_operations = 3e25
partner_date = 2027-01-15
public_date = 2027-02-01T09:00:00-05:00
stage = "unknown"
"""
    assert files.load_inquiry(written, "inquiry.toml").answers == {
        Question.MODEL: "demonstration-model",
        Question.STAGE: "unknown",
        Question.TRAINING_OPERATIONS: "3e+25",
        Question.PARTNER_DATE: "2027-01-15",
        Question.PUBLIC_DATE: "2027-02-01T09:00:00-05:00",
    }
    whole = files.load_inquiry(b"training_operations = 30000000000000000000000000", "f")
    assert whole.answers[Question.TRAINING_OPERATIONS] == "3" + "0" * 25


def test_an_empty_file_is_an_empty_inquiry() -> None:
    """And one that is written again shows every question."""
    assert files.load_inquiry(b"", "f") == Inquiry()
    text = files.dump_inquiry(Inquiry()).decode()
    assert all(f"# {question.value} =" in text for question in Question)
    assert files.load_inquiry(text.encode(), "f") == Inquiry()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"modle = 'm'", "modle.*no key"),
        (b"model = ''", "model.*is empty"),
        (b"model = true", "model.*one answer"),
        (b"model = ['a', 'b']", "model.*one answer"),
        (b"training_operations = '1e26ish'", "training_operations.*3e25"),
        (b"training_operations = inf", "training_operations.*3e25"),
        (b"partner_date = 2027-02-30", "no TOML"),
        (b"partner_date = 2027-01-15T09:00:00", "partner_date.*offset"),
        (b"partner_date = 09:00:00", "partner_date.*one answer"),
        ("model = 'm'".encode("utf-16"), "no TOML"),
        (b"# " + b"x" * (10 << 20), "longer than"),
    ],
)
def test_what_is_no_inquiry_is_refused(content: bytes, problem: str) -> None:
    """File and key are named."""
    with pytest.raises(Invalid, match=problem) as told:
        files.load_inquiry(content, "inquiry.toml")
    assert "inquiry.toml" in told.value.field


def test_a_pack_is_read_as_it_was_written() -> None:
    """With facts, files and what is not known."""
    assert files.load_submission(files.dump_submission(PACK), "f") == PACK
    assert files.load_submission(b"", "f") == Submission()


def _text(old: str, new: str) -> bytes:
    written = files.dump_submission(PACK).decode()
    assert old in written
    return written.replace(old, new).encode()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (lambda: _text('"card.md"', '"../card.md"'), "no plain name"),
        (lambda: _text('"card.md"', '".."'), "no plain name"),
        (lambda: _text("size = 9", "size = -1"), "cannot be"),
        (lambda: _text('"model-card"', '"weights"'), "no part of a pack"),
        (lambda: _text('["red-team-results"]', '["secrets"]'), "no part of a pack"),
        (lambda: _text('"90"', '"ninety"'), "whole number"),
        (lambda: _text("abab", "ABAB"), "64 digits"),
        (lambda: _text("size = 9", "size = 9\nmore = 1"), "no key"),
        (
            lambda: (
                files.dump_submission(PACK)
                + files.dump_submission(PACK).split(b"\n\n")[-1].join([b"\n", b""])
            ),
            "stands twice",
        ),
        (lambda: b"[[piece]]\n" * 201, "at most 200"),
    ],
)
def test_what_is_no_pack_is_refused(content: Callable[[], bytes], problem: str) -> None:
    """A path that leaves the folder, an impossible size, a word that is none."""
    with pytest.raises(Invalid, match=problem) as told:
        files.load_submission(content(), "submission.toml")
    assert "submission.toml" in told.value.field


@given(st.sampled_from([Question.MODEL, Question.PURPOSE]), st.text())
def test_any_words_of_a_person_come_back(question: Question, text: str) -> None:
    """Whatever can be said is read as it was written."""
    try:
        inquiry = Inquiry().saying(question, text)
    except Invalid:
        reject()
    assert files.load_inquiry(files.dump_inquiry(inquiry), "f") == inquiry
