"""Bodies keep their id through every name; the six questions are six, and answers are theirs."""

from datetime import date

import pytest

from leadline.core.engagement.coverage import Answers, Stage
from leadline.core.engagement.library import Name
from leadline.core.errors import Invalid
from leadline.formats.bodies_toml import load_bodies, load_name_examples
from leadline.formats.questions_toml import AnswerKind, load_answers, load_questions
from leadline.wiring.regimes import BODIES, DATA, library, questions

TEXT = """
[[body]]
id = "a-body"
[[body.name]]
text = "Old"
cites = "s"
[[body.name]]
text = "New"
since = 2026-02-01
cites = "s"
[[body.name]]
text = "Newest"
since = 2026-09-29
cites = "s"

[[sources]]
id = "s"
citation = "c"
url = "https://example.org/"
read = "r"
confidence = "P"
"""
QUESTIONS = (DATA / "questions.toml").read_text("utf-8")


def test_a_name_ends_where_the_next_begins() -> None:
    """Before the first change the old name, from its first day the new one."""
    body = load_bodies(TEXT.encode(), "b.toml")["a-body"]
    assert body.names == (
        Name("Old", None, date(2026, 2, 1), "s"),
        Name("New", date(2026, 2, 1), date(2026, 9, 29), "s"),
        Name("Newest", date(2026, 9, 29), None, "s"),
    )
    for day, name in (
        (date(2026, 1, 31), "Old"),
        (date(2026, 2, 1), "New"),
        (date(2026, 9, 28), "New"),
        (date(2027, 1, 1), "Newest"),
    ):
        assert body.name(day) == name


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("since = 2026-09-29", "since = 2026-02-01", r"body\[1\].name\[3\].since"),
        ("since = 2026-09-29\n", "", r"body\[1\].name\[3\].since"),
        ('cites = "s"', 'cites = "t"', r"body\[1\].name\[1\].cites"),
        ('text = "Old"', 'text = "Old"\nuntil = 2026-01-01', r"body\[1\].name\[1\].until"),
        (
            "[[sources]]",
            '[[body]]\nid = "a-body"\n[[body.name]]\ntext = "x"\ncites = "s"\n[[sources]]',
            r"body\[2\].id",
        ),
        ("[[sources]]", '[[body]]\nid = "b"\n[[sources]]', r"body\[2\].name"),
        ('confidence = "P"', "", r"sources\[1\].confidence"),
        ('read = "r"', 'read = "r"\nby = "x"', r"sources\[1\].by"),
        ("\n[[body]]", "places = 1\n[[body]]", "places"),
    ],
)
def test_a_wrong_body_is_named(old: str, new: str, key: str) -> None:
    """Names out of order, without a day or a source, bodies twice or without a name."""
    with pytest.raises(Invalid, match=f"^b.toml: {key}"):
        load_bodies(TEXT.replace(old, new, 1).encode(), "b.toml")


def test_examples_of_names_are_examples() -> None:
    """An empty file, and one with a key too many, are refused."""
    with pytest.raises(Invalid, match="example"):
        load_name_examples(b"", "e.toml")
    wrong = b'[[example]]\nbody = "b"\non = 2026-01-01\ncalled = "x"\nwhy = "y"\n'
    with pytest.raises(Invalid, match="why"):
        load_name_examples(wrong, "e.toml")


def test_no_body_is_there_that_no_text_names() -> None:
    """Every id of the bodies' file is used, so that no stale one stays."""
    held = library()
    used = {report.to for text in held.texts for report in text.reports}
    used |= {
        one.body
        for text in held.texts
        for one in (*text.consults, *text.advises, *([text.decides] if text.decides else []))
    }
    file = DATA / BODIES
    assert set(load_bodies(file.read_bytes(), file.name)) == used - {"public"}


def test_the_six_questions_are_six() -> None:
    """In the order of the file, each with words, a reason and help; choices have options."""
    found = questions()
    assert [one.fact.value for one in found] == [
        "training-operations",
        "yearly-revenue-usd",
        "places",
        "open-weights",
        "stage",
        "agreements",
    ]
    for one in found:
        assert bool(one.options) is (one.kind in {AnswerKind.ONE, AnswerKind.ANY})
    stages = next(one for one in found if one.kind is AnswerKind.ONE)
    assert [option.word for option in stages.options] == list(Stage)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('fact = "stage"', 'fact = "places"', "question"),
        ('kind = "one"', 'kind = "any"', r"question\[5\].kind"),
        ('fact = "stage"', 'fact = "determination"', r"question\[5\].kind"),
        ('[[question.option]]\nword = "us"', '[[question.opinion]]\nword = "us"', r"question"),
        ('kind = "yes-or-no"', 'kind = "yes-or-no"\nhint = "x"', r"question\[4\].hint"),
        ('word = "us"', 'word = "us"\nflag = "x"', r"question\[3\].option\[1\].flag"),
        (
            '[[question]]\nfact = "stage"',
            '[[question.option]]\nword = "a"\ntext = "b"\n[[question]]\nfact = "stage"',
            r"question\[4\].option: options belong",
        ),
    ],
)
def test_a_wrong_question_is_named(old: str, new: str, key: str) -> None:
    """A question twice, of the wrong kind, never asked, or with a key too many."""
    assert old in QUESTIONS
    with pytest.raises(Invalid, match=f"^q.toml: {key}"):
        load_questions(QUESTIONS.replace(old, new, 1).encode(), "q.toml")


def test_a_question_asked_twice_or_not_at_all_is_named() -> None:
    """Six different ones; the seventh repeats."""
    with pytest.raises(Invalid, match="is asked twice"):
        load_questions(
            (QUESTIONS + QUESTIONS[QUESTIONS.index("[[question]]") :]).encode(), "q.toml"
        )
    with pytest.raises(Invalid, match="nothing asks for agreements"):
        load_questions(QUESTIONS[: QUESTIONS.rindex("[[question]]")].encode(), "q.toml")


def test_answers_are_read_from_a_file() -> None:
    """A key for each answer; what is absent is unknown, an empty list is none."""
    text = 'training-operations = 3e25\nplaces = ["eu", "us"]\nagreements = []\nstage = "public"\n'
    assert load_answers(text.encode(), "a.toml", questions()) == Answers(
        3e25, None, ("eu", "us"), None, Stage.PUBLIC, ()
    )
    assert load_answers(b"", "a.toml", questions()) == Answers()


@pytest.mark.parametrize(
    "text",
    [
        "training-operations = nan",
        "training-operations = -1",
        f"training-operations = {10**400}",
        "yearly-revenue-usd = inf",
        'yearly-revenue-usd = "lots"',
        'places = ["the moon"]',
        'stage = "done"',
        'open-weights = "yes"',
        'agreements = "none"',
        'name = "x"',
    ],
)
def test_an_impossible_answer_is_named(text: str) -> None:
    """The file and the question's key stand first, with what would do."""
    with pytest.raises(Invalid, match=f"^a.toml: {text.split(' ', maxsplit=1)[0]}"):
        load_answers(text.encode(), "a.toml", questions())
