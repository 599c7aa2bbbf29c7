"""Answers to the six questions as people type them."""

import pytest

from leadline.core.engagement.coverage import Answers, Stage
from leadline.core.errors import Invalid
from leadline.formats.questions_toml import answers_in_words, written
from leadline.wiring.regimes import questions

ASKED = questions()


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("3e24", 3e24),
        ("10^26", 1e26),
        ("3 x 10^24", 3e24),
        ("$500 million", 5e8),
        ("1.5bn", 1.5e9),
        ("500,000,000", 5e8),
    ],
)
def test_numbers_as_people_write_them(said: str, number: float) -> None:
    """With powers, units and signs of money."""
    found = answers_in_words({"yearly-revenue-usd": said}, ASKED)
    assert found.yearly_revenue_usd == pytest.approx(number)


def test_words_and_what_nobody_knows() -> None:
    """Unknown is left out; none of several is an answer."""
    given = {
        "training-operations": "I don't know",
        "places": "us, eu",
        "agreements": "none",
        "open-weights": "Yes",
        "stage": "with-partners",
    }
    found = answers_in_words(given, ASKED)
    assert found == Answers(None, None, ("us", "eu"), True, Stage.WITH_PARTNERS, ())  # noqa: FBT003 -- the answer
    assert written({"stage": "?", "open-weights": ""}, ASKED) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("training-operations", "much"),
        ("training-operations", "-1"),
        ("training-operations", "1e999"),
        ("open-weights", "perhaps"),
        ("stage", "finished"),
        ("places", "mars"),
    ],
)
def test_what_is_no_answer_names_its_question(name: str, said: str) -> None:
    """By the fact, so that a form can show it at its field."""
    with pytest.raises(Invalid) as found:
        answers_in_words({"open-weights": "no", name: said}, ASKED)
    assert found.value.field == name
