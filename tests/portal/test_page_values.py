"""How values stand on pages: no machine's spelling of a time, no id where there is a name, no raw marks."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from leadline.http.application import API
from leadline.http.pages.filters import MOMENT, detail, moment, month, sentence, spoken, ticks
from portal.examples import NOBODY, Example, examples, world
from portal.test_route_matrix import Front
from portal.world import World

AT = "2027-03-08T12:31:00.000000Z"
SAID = "8 March 2027, 12:31 UTC"


def test_a_time_has_its_zone_however_it_comes() -> None:
    """As a time, as the text of an act, in another zone; where there is none, a dash."""
    assert moment(datetime(2027, 3, 8, 12, 31, tzinfo=UTC)) == SAID
    assert moment(AT) == SAID
    assert moment("2027-03-08T13:31:00+01:00") == SAID
    assert moment(AT, "America/New_York") == "8 March 2027, 07:31 America/New_York"
    assert moment(None) == moment("") == "—"
    assert month("2027-03") == "March 2027"


def test_what_an_act_holds_is_said_in_words() -> None:
    """Times with their zone, yes and no, several one after the other, names with their values."""
    assert detail(AT) == SAID
    assert detail(value=True) == "yes"
    assert detail(value=False) == "no"
    assert detail(["a", 3, AT]) == f"a; 3; {SAID}"
    assert detail({"weights_version": "v2"}) == "weights version: v2"
    assert detail(None) == "—"
    assert spoken(f"terms.agreed of {AT}") == f"terms agreed {SAID}"
    assert spoken("the terms end") == "the terms end"
    assert sentence("no date is owed yet") == "No date is owed yet."
    assert sentence("Nobody.") == "Nobody."
    assert not sentence("")


def test_marks_around_a_command_become_code_and_nothing_else() -> None:
    """What is hostile stays text; an odd mark is shown as it stands."""
    assert str(ticks("Run `pip show x` <b>")) == "Run <code>pip show x</code> &lt;b&gt;"
    assert str(ticks("`<script>`")) == "<code>&lt;script&gt;</code>"
    assert str(ticks("one ` alone <")) == "one ` alone &lt;"


# What is quoted as it is, and what is not read: texts, commands, fields, scripts, the tags themselves.
QUOTED = re.compile(r"<(pre|code|textarea|script|style)\b.*?</\1>|<[^>]*>", re.DOTALL)
# Who looks: whoever has most to see of a page, as far as it is theirs.
LOOK = ("coordinator", "developer", "auditor", "determining-official", "operator", "administrator")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world; nothing is changed in it."""
    with world(tmp_path_factory).copied(tmp_path_factory.mktemp("values") / "copy") as found:
        yield found


def looker(one: Example) -> str:
    """Somebody who may see the page."""
    return next((name for name in LOOK if name in one.roles), min(one.roles, default=NOBODY))


def test_no_page_shows_a_machines_time_or_marks(at: World) -> None:
    """What is no quotation holds no RFC 3339 text and no backtick, on any page of the world."""
    front, seen, wrong = Front(), 0, list[str]()
    for key, one in examples().items():
        method, _, path = key.partition(" ")
        if method != "GET" or path.startswith(API):
            continue
        answer = front.asked(at, key, one, looker(one))
        if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
            continue
        seen += 1
        text = QUOTED.sub(" ", answer.text)
        wrong += [f"{key}: {found[0]}" for found in MOMENT.finditer(text)]
        wrong += [f"{key}: a backtick" for _ in re.finditer("`", text)]
    assert seen > 100
    assert not wrong, "\n".join(wrong)


def page(at: World, person: str, path: str) -> str:
    """What that person reads there."""
    answer = Front().asked(at, f"GET {path}", Example(path, frozenset({person})), person)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_only_what_is_of_use_is_offered(at: World) -> None:
    """A credential's acts are those of its person's roles; boards are those of whoever looks."""
    scopes = page(at, "evaluator", "/account/credentials")
    assert 'value="assessment:read"' in scopes
    assert 'value="backup:make"' not in scopes
    boards = {who: page(at, who, "/cases") for who in ("coordinator", "finder", "maintainer")}
    assert 'href="/operators"' in boards["coordinator"]
    assert 'href="/operators"' not in boards["finder"]
    assert 'href="/leases"' in boards["finder"]
    assert 'href="/leases"' not in boards["maintainer"]
    assert 'href="/coverage"' in page(at, NOBODY, "/")


def test_a_text_stands_by_its_title(at: World) -> None:
    """Where a list names the text of an engagement, people read its title; its id is in the address alone."""
    told = page(at, "developer", "/engagements")
    assert "Executive Order 14409" in told
    assert "us eo 14409" not in told
    assert "us-eo-14409 ends" not in page(at, "developer", f"/engagements/{at.ids['engagement']}")


def test_a_proof_is_offered_once_the_log_was_signed_after_the_act(at: World) -> None:
    """Each link gives its file; what has none yet says when it comes."""
    here = f"/engagements/{at.ids['engagement']}"
    told = page(at, "developer", f"{here}/record")
    links = re.findall(rf'href="({here}/proofs/[^"]+)"', told)
    assert links
    waiting = told.count("next signature</td>")
    assert len(links) // 2 + waiting == told.count('<tr><td class="ll-when-column">')
    for link in (links[0], links[-1]):
        assert page(at, "developer", link)
