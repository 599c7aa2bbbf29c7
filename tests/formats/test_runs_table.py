"""Tables of runs: two spellings, two forms, and nothing missing taken for a failure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats import runs_table
from leadline.formats.runs_table import read_runs
from refusal import answer

CSV = """\
alias,task_id,task_family,score_binarized,best_available_minutes
a,t1,f,1,2.5
a,t2,f,0,60
b,t1,f,,2.5
b,t2,g,1,
"""


def test_published_headings_are_known() -> None:
    """Rows without a time or a score are counted and left out."""
    told = read_runs(CSV)
    assert (told.without_minutes, told.without_score, told.families) == (1, 1, True)
    assert told.runs.model.tolist() == ["a", "a"]
    assert told.runs.family.tolist() == ["f", "f"]
    assert told.runs.minutes.tolist() == [2.5, 60.0]
    assert told.runs.weight is None


def test_how_times_were_got_is_kept_where_it_is_said() -> None:
    """In the data's words; a row without a word is kept, and a list is no word."""
    head = "model,task,score,human_minutes,human_minutes_source\n"
    told = read_runs(f"{head}a,t,1,2,estimate\na,u,1,2,\n")
    assert told.runs.source is not None
    assert told.runs.source.tolist() == ["estimate", ""]
    row = {"model": "a", "task": "t", "score": 1, "human_minutes": 3, "best_available_source": []}
    with pytest.raises(Invalid, match="is no name"):
        read_runs(json.dumps(row))


def test_json_lines_say_the_same() -> None:
    """One object a line, with the other spelling and a weight."""
    rows = [
        {"model": "a", "task": "t1", "score": 0.5, "human_minutes": 3, "weight": 0.2},
        {"model": "a", "task": "t2", "score": None, "human_minutes": 3, "weight": 0.2},
    ]
    told = read_runs("\n\n".join(json.dumps(row) for row in rows))
    assert (told.without_score, told.families) == (1, False)
    assert told.runs.family.tolist() == ["t1"]
    assert told.runs.weight is not None
    assert told.runs.weight.tolist() == [0.2]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "runs"),
        ("model,task,score\na,t,1\n", "heading"),
        ("model,alias,task,score,human_minutes\na,a,t,1,2\n", "heading"),
        ("model,task,score,human_minutes\na,t,1\n", "row 2"),
        ("model,task,score,human_minutes\na,t,1,2,3\n", "row 2"),
        ('model,task,score,human_minutes\n"a,t,1,2\n', "row 1"),
        ("model,task,score,human_minutes\na,t,x,2\n", "score, kept row 1"),
        ("model,task,score,human_minutes\n,t,1,2\n", "model, kept row 1"),
        ("model,task,score,human_minutes\na,t,1,\n", "runs"),
        (f"model,task,score,human_minutes\n{'a' * 257},t,1,2\n", "model, kept row 1"),
        ("{", "line 1"),
        ('{"model": "a"}\n[1]', "line 2"),
        ('{"model": [], "task": "t", "score": 1, "human_minutes": 1}', "model, kept row 1"),
        ('{"model": "a", "task": "t", "score": [], "human_minutes": 1}', "score, kept row 1"),
        (
            '{"model": "a", "task": "t", "score": 1' + "0" * 400 + ', "human_minutes": 1}',
            "score, kept row 1",
        ),
    ],
)
def test_what_cannot_be_read_is_named(text: str, field: str) -> None:
    """The error names the column, the row or the line."""
    with pytest.raises(Invalid) as raised:
        read_runs(text)
    assert raised.value.field == field


def test_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table beyond the bound is refused while it is read."""
    monkeypatch.setattr(runs_table, "ROWS_MAX", 3)
    with pytest.raises(Invalid, match="more than 3 rows"):
        read_runs(CSV)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but Invalid comes of bytes that are no table."""
    told = answer(lambda data: read_runs(data.decode()), text.encode())
    assert isinstance(told, Invalid) or len(told.runs.model)


@pytest.mark.parametrize("text", ["", "\n\n", "model,task,score,human_minutes\n"])
def test_a_table_without_runs_says_so(text: str) -> None:
    """Nothing, and a heading alone, are no table whose columns are missing."""
    with pytest.raises(Invalid, match="runs: the table holds none; below a heading"):
        read_runs(text)


def test_another_sign_than_a_comma_is_named_beside_the_columns() -> None:
    """A table as other programs save it says what divides it, and one with commas says nothing of it."""
    with pytest.raises(Invalid, match="are divided by ';', and commas are due"):
        read_runs("model;task;score;human_minutes\na;t;1;5\n")
    with pytest.raises(Invalid, match=r"no column human_minutes or best_available_minutes$"):
        read_runs("model,task,score\na,t,1\n")
