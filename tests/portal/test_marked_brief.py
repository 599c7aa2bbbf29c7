"""The official's sheet where attempts are marked: how many, by whom, who dissents, every figure twice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import make
from identity.people import House, house
from leadline.app import assessed, briefing, marks
from leadline.core.assessment import SampleResult, ShardResult
from leadline.render.brief_page import brief_document
from leadline.render.document import Prose, Table
from leadline.wiring import assessments
from portal.assessed_world import Assessed, assess, open_engagement
from portal.visits import visitor

BRIEF = f"/engagements/{make.ENGAGEMENT}/brief"
LONG = "the harness left the answer in the box of the attempt, as its transcript shows; " * 20


@dataclass
class Marking:
    """A whole assessment, of which attempts are marked."""

    at: House
    run: Assessed

    def solved(self) -> list[tuple[ShardResult, SampleResult]]:
        """Attempts of the subject that were solved."""
        found = assessed.read(self.at.ctx("evaluator"), self.run.on)
        assert found is not None
        every = assessed.attempts(found)
        name = found.plan.subject.name
        return [pair for pair in every if pair[1].solved and pair[0].subject == name]

    def mark(self, number: int, person: str = "evaluator") -> str:
        """One more of them marked; answers the mark."""
        shard, one = self.solved()[number]
        ctx = self.at.ctx(person)
        return marks.mark(ctx, self.run.on, shard.subject, one.item, one.epoch, LONG).id

    def dissent(self, mark: str) -> None:
        """The official's, at length."""
        marks.dissent(self.at.ctx("official"), self.run.on, mark, LONG)

    def told(self) -> briefing.Brief:
        """The brief, as the official reads it."""
        desk = self.at.portal.desk(self.at.door.acting(self.at.signed_in("official").token))
        return briefing.brief(desk.ctx, self.run.on, assessments.told(desk, self.run.on))


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Marking]:
    """Nothing is marked yet."""
    with house(tmp_path / "out" / ".state") as at:
        made = assess(at, open_engagement(at))
        at.password("official")
        at.enrol("lead", "evaluation-lead")
        yield Marking(at, made)


def test_without_a_mark_the_sheet_says_nothing_of_marks(found: Marking) -> None:
    """Nor where each was taken back; the columns are those of before."""
    page = visitor(found.at, "official").get(BRIEF).text
    assert "marked" not in page
    assert found.told().marked is None
    mark = found.mark(0)
    marks.take_back(found.at.ctx("evaluator"), found.run.on, mark, "it was evidence")
    assert "marked" not in visitor(found.at, "official").get(BRIEF).text


def test_marks_stand_on_the_sheet_with_both_figures(found: Marking) -> None:
    """How many, by whom, how many are disputed; a dissent in short; each family with and without."""
    first, *_ = [found.mark(0), found.mark(1), found.mark(2, "lead")]
    found.dissent(first)
    page = visitor(found.at, "official").get(BRIEF).text
    assert "3 attempts marked as invalid" in page
    assert "2 by evaluator, 1 by lead" in page
    assert "somebody dissents from 1." in page
    assert "Dissent</strong> of official" in page
    assert LONG not in page
    assert "/assessment/results#marked" in page
    assert "without marked: " in page
    held = found.told()
    assert held.marked is not None
    all_, less = (
        [sum(getattr(one, name) for s in suites for one in s.families) for name in ("solved", "attempted")]
        for suites in (held.suites, held.marked.suites)
    )  # fmt: skip
    assert [a - b for a, b in zip(all_, less, strict=True)] == [3, 3]
    rows = re.findall(r"<td>(\d+) of (\d+)<br>without marked: (\d+) of (\d+)</td>", page)
    assert len(rows) == sum(len(suite.families) for suite in held.suites)
    assert sum(int(row[0]) - int(row[2]) for row in rows) == 3


def test_the_paper_and_the_program_hear_the_same(found: Marking) -> None:
    """The PDF's document has the section and the column; the sheet for programs the marks themselves."""
    for one in [found.mark(number) for number in range(4)]:
        found.dissent(one)
    held = found.told()
    document = brief_document(held, found.at.clock.now)
    (section,) = [one for one in document.cover if one.id == "marked"]
    words = " ".join(block.text for block in section.blocks if isinstance(block, Prose))
    assert "4 by evaluator; somebody dissents from 4" in words
    assert "Further marks with a dissent: 2." in words
    measured = next(one for one in document.cover if one.id == "measured")
    (table,) = [block for block in measured.blocks if isinstance(block, Table)]
    assert table.columns[-1].label == "Without marked"
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert visitor(found.at, "official").get(f"{BRIEF}.pdf").content.startswith(b"%PDF")
    desk = found.at.portal.desk(found.at.door.acting(found.at.signed_in("official").token))
    sheet = briefing.sheet(desk.ctx, found.run.on, assessments.told(desk, found.run.on))
    assert sheet.marked is not None
    assert len(sheet.marked.marks) == 4
    assert [one.name for one in sheet.marked.suites] == [one.name for one in sheet.suites]
