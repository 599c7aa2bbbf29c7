"""TAXII 2.1 over HTTP: what the standard asks of a server, who may read what, and what attackers try."""

import base64
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import requests.auth
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx2 import Response
from requests.models import PreparedRequest
from sqlalchemy import event
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages
from typing_extensions import override

import make
from clearing_values import AT
from identity.people import House, application, house, served
from identity.prover import Prover
from leadline.app import credentials, sharing
from leadline.core.access import Action
from leadline.core.marking import Tlp
from leadline.formats import stix, taxii
from leadline.http.api.caller import COOKIE
from leadline.http.taxii import DISCOVERY, ROOT
from leadline.identity.dpop import Sent
from leadline.wiring.portal import Portal
from taxii_world import CASE, OTHER_CASE, draft, numbered, publish, revised

ORIGIN = "https://localhost:8443"
OPEN = f"{ROOT}collections/{sharing.PUBLIC.id}/"
Json = dict[str, Any]


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation on SQLite."""
    with house(tmp_path) as found:
        yield found


@pytest.fixture
def each(tmp_path: Path, database_url: str) -> Iterator[House]:
    """On each database."""
    with house(tmp_path, database_url) as found:
        yield found


def client(at: House, person: str = "", **headers: str) -> TestClient:
    """A client of nobody, or with a person's session."""
    made = TestClient(
        application(at.portal), base_url=ORIGIN, headers={"accept": taxii.MEDIA, **headers},
        follow_redirects=False,
    )  # fmt: skip
    if person:
        at.password(person)
        made.cookies.set(COOKIE, at.signed_in(person).token)
    return made


def drafts(case: str) -> str:
    """Where the drafts of a case are."""
    return f"{ROOT}collections/{sharing.Collection(case, '', '').id}/"


def got(answer: Response) -> Json:
    """The message of an answer that was given."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == taxii.MEDIA
    found: Json = answer.json()
    return found


def refused(answer: Response, status: int) -> str:
    """What an error message says; its status is that of the answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == taxii.MEDIA
    told = answer.json()
    assert told["http_status"] == str(status)
    assert told["title"]
    return str(told["description"])


def walked(ask: TestClient, path: str, query: str = "") -> list[Json]:
    """Every message of a walk."""
    found = [got(ask.get(f"{path}?{query}"))]
    while found[-1]["more"]:
        found.append(got(ask.get(f"{path}?{query}&next={found[-1]['next']}")))
    assert not any("next" in one for one in found if not one["more"])
    return found


def ids(pages: Sequence[Json]) -> list[str]:
    """Which objects were met, with their versions."""
    return [f"{one['id']} {stix.version(one)}" for page in pages for one in page.get("objects", ())]


def flaws(at: House, *numbers: int) -> None:
    """Published advisories with these numbers, one transaction each, all at one moment of the clock."""
    for number in numbers:
        publish(at.door.parts.store, numbered(number))


def test_discovery_root_and_collections(at: House) -> None:
    """What there is, without signing in: one root, one collection, to be read alone."""
    ask = client(at)
    told = got(ask.get(DISCOVERY))
    assert (told["default"], told["api_roots"]) == (ORIGIN + ROOT, [ORIGIN + ROOT])
    root = got(ask.get(ROOT))
    assert (root["versions"], root["max_content_length"]) == ([taxii.MEDIA], 256 << 10)
    (only,) = got(ask.get(f"{ROOT}collections/"))["collections"]
    assert only == got(ask.get(OPEN))
    assert (only["id"], only["can_read"], only["can_write"]) == (sharing.PUBLIC.id, True, False)
    assert only["media_types"] == [taxii.OBJECTS]
    refused(ask.get(f"{ROOT}status/2d086da7-4bdc-4f91-900e-d77486753710/"), 404)


def test_an_empty_collection_has_no_objects(at: House) -> None:
    """Nor has its manifest; the key is left out, and no moment is told."""
    answer = client(at).get(f"{OPEN}objects/")
    assert got(answer) == {"more": False}
    assert "x-taxii-date-added-first" not in answer.headers
    assert got(client(at).get(f"{OPEN}manifest/")) == {"more": False}


def test_objects_are_those_of_the_bundle(each: House) -> None:
    """The same as the feed's file has, in the order in which they were added; manifest and headers agree."""
    held = numbered(1, flaws=2)
    publish(each.door.parts.store, held)
    ask = client(each)
    answer = ask.get(f"{OPEN}objects/")
    assert got(answer)["objects"] == json.loads(stix.render(held))["objects"]
    entries = got(ask.get(f"{OPEN}manifest/"))["objects"]
    assert [one["id"] for one in entries] == [one["id"] for one in got(answer)["objects"]]
    assert [one["version"] for one in entries] == list(map(stix.version, got(answer)["objects"]))
    dates = [one["date_added"] for one in entries]
    assert dates == sorted(set(dates))
    assert answer.headers["x-taxii-date-added-first"] == dates[0]
    assert answer.headers["x-taxii-date-added-last"] == dates[-1]
    assert {one["media_type"] for one in entries} == {taxii.OBJECTS}


def test_a_change_is_a_further_version(each: House) -> None:
    """Revised, one flaw dropped, withdrawn: each a version with the first one's moment of creation."""
    store, ask = each.door.parts.store, client(each)
    first = numbered(1, flaws=2)
    second = revised(first, flaws=first.flaws[:1])
    third = replace(revised(second), withdrawn=True)
    for held in (first, second, third):
        publish(store, held)
    keeps, drops = (one["id"] for one in stix.objects(first)[2:])
    told = got(ask.get(f"{OPEN}objects/{keeps}/versions/"))["versions"]
    assert len(told) == 3
    assert got(ask.get(f"{OPEN}objects/{keeps}/"))["objects"][0]["revoked"]
    every = got(ask.get(f"{OPEN}objects/{keeps}/?match[version]=all"))["objects"]
    assert [one["modified"] for one in every] == told
    assert len({one["created"] for one in every}) == 1
    (oldest,) = got(ask.get(f"{OPEN}objects/{keeps}/?match[version]=first"))["objects"]
    assert oldest == every[0]
    (named,) = got(ask.get(f"{OPEN}objects/{keeps}/?match[version]={told[1]}"))["objects"]
    assert named == every[1]
    both = got(ask.get(f"{OPEN}objects/{keeps}/?match[version]=first,last"))["objects"]
    assert both == [every[0], every[-1]]
    gone = got(ask.get(f"{OPEN}objects/{drops}/?match[version]=all"))["objects"]
    assert [one.get("revoked", False) for one in gone] == [False, True]
    whole = ids(walked(ask, f"{OPEN}objects/", "match[version]=all&limit=2"))
    assert len(whole) == len(set(whole)) == 2 + 3 + 2
    last = ids(walked(ask, f"{OPEN}objects/", "limit=2"))
    assert sorted(one.partition(" ")[0] for one in last) == sorted(
        {one.partition(" ")[0] for one in whole}
    )


def test_filters(each: House) -> None:
    """By id, type, version of the format, and what was added after; several values, and several filters."""
    flaws(each, 1, 2, 3)
    ask = client(each)
    found = got(ask.get(f"{OPEN}objects/"))["objects"]
    kinds = [one["type"] for one in found]
    assert kinds == ["marking-definition", "identity", *["vulnerability"] * 3]

    def shown(query: str) -> list[Json]:
        told: list[Json] = got(ask.get(f"{OPEN}objects/?{query}")).get("objects", [])
        return told

    assert shown(f"match[id]={found[3]['id']},{found[1]['id']}") == [found[1], found[3]]
    assert shown("match[type]=vulnerability") == found[2:]
    assert shown("match[type]=identity,marking-definition") == found[:2]
    assert shown(f"match[type]=identity&match[id]={found[3]['id']}") == []
    assert shown("match[spec_version]=2.1,2.0") == found
    assert shown("match[spec_version]=2.0") == []
    dates = [one["date_added"] for one in got(ask.get(f"{OPEN}manifest/"))["objects"]]
    assert shown(f"added_after={dates[2]}") == found[3:]
    assert shown(f"added_after={dates[-1]}") == []
    assert (
        got(ask.get(f"{OPEN}manifest/?match[id]={found[4]['id']}"))["objects"][0]["id"]
        == (found[4]["id"])
    )


def test_media_types_are_negotiated(at: House) -> None:
    """What takes TAXII 2.1 is answered in it; everything else is told so, in it."""
    for fits in (
        "",
        "*/*",
        "application/*;q=0.1",
        "application/taxii+json",
        f"text/html,{taxii.MEDIA}",
    ):
        assert client(at, accept=fits).get(DISCOVERY).status_code == 200, fits
    for other in ("application/taxii+json;version=2.0", "text/html", f"{taxii.MEDIA};q=0", "x"):
        assert taxii.MEDIA in refused(client(at, accept=other).get(f"{OPEN}objects/"), 406), other


def test_collections_are_read_alone(at: House) -> None:
    """Adding and deleting are refused to whoever may read; where there is nothing, nothing is."""
    flaws(at, 1)
    ask = client(at)
    name = stix.objects(numbered(1))[-1]["id"]
    sent = ask.post(
        f"{OPEN}objects/", content=b'{"objects":[]}', headers={"content-type": taxii.MEDIA}
    )
    assert "read" in refused(sent, 403)
    refused(ask.delete(f"{OPEN}objects/{name}/"), 403)
    refused(ask.post(f"{drafts(CASE)}objects/", content=b"{}"), 404)
    refused(ask.put(f"{OPEN}objects/", content=b"{}"), 405)
    assert got(ask.get(f"{OPEN}objects/{name}/"))["objects"]
    whole = b"x" * (300 << 10)
    refused(ask.post(f"{OPEN}objects/", content=whole), 413)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=1e3", "limit=+1", "limit=%D9%A3", "limit=", "limit=1&limit=2",
        "added_after=yesterday", "added_after=2026-02-30T00:00:00Z", "added_after=2026-01-01T00:00:00+01:00",
        "match[version]=newest", "match[id]=", "match[type]=a,,b", "match[type]=%00", "match[nothing]=1",
        "newest=1", "next=x", "next=%00", "match[id]=" + ",".join(f"a{n}" for n in range(101)),
    ],
)  # fmt: skip
def test_a_query_that_is_none_is_refused(at: House, query: str) -> None:
    """A filter that nobody understands is never left out unsaid."""
    name = query.partition("=")[0]
    assert refused(client(at).get(f"{OPEN}objects/?{query}"), 400).startswith(name)


def test_a_huge_limit_gives_what_fits(at: House) -> None:
    """A page has an end, however much is asked for, in number and in bytes; the rest follows."""
    long = "x" * (1 << 20)
    for number in range(10):
        held = numbered(number)
        flaw = replace(held.flaws[0], description=long)
        publish(at.door.parts.store, replace(held, flaws=(flaw,)))
    first = got(client(at).get(f"{OPEN}objects/?limit=999999999999999999999"))
    assert first["more"]
    assert len(first["objects"]) == 9  # the marking, the publisher, and seven that fit into 8 MiB
    assert len(ids(walked(client(at), f"{OPEN}objects/", "limit=500"))) == 12


def test_a_place_is_good_for_the_same_question_alone(at: House) -> None:
    """Forged, cut, of another collection, reader, object or filter: refused in words; *limit* may change."""
    flaws(at, *range(4))
    for number in range(3):
        draft(at.door.parts.store, numbered(50 + number))
    for person in ("ann", "ben"):
        at.enrol(person, "maintainer", cases=frozenset({CASE, OTHER_CASE}))
    nobody, ann, ben = client(at), client(at, "ann"), client(at, "ben")
    place = got(nobody.get(f"{OPEN}objects/?limit=2"))["next"]
    assert got(nobody.get(f"{OPEN}objects/?limit=1&next={place}"))["objects"]

    def no(ask: TestClient, path: str) -> None:
        assert "begin without" in refused(ask.get(path), 400)

    flipped = base64.urlsafe_b64decode(place)
    for wrong in (
        place[:-4], place[4:], place + "AAAA", place[:8], "AAAA", "=", "é",
        base64.urlsafe_b64encode(bytes([flipped[0] ^ 1]) + flipped[1:]).decode(),
        base64.urlsafe_b64encode(flipped[:-1] + bytes([flipped[-1] ^ 1])).decode(),
        base64.urlsafe_b64encode(b"2026-11-01T12:00:00.000000Z").decode(),
    ):  # fmt: skip
        no(nobody, f"{OPEN}objects/?next={wrong}")
    no(ann, f"{OPEN}objects/?next={place}")
    no(nobody, f"{OPEN}objects/{stix.objects(numbered(1))[-1]['id']}/?next={place}")
    no(nobody, f"{OPEN}objects/?next={place}&match[type]=vulnerability")
    no(nobody, f"{OPEN}objects/?next={place}&added_after=2026-01-01T00:00:00Z")
    mine = got(ann.get(f"{drafts(CASE)}objects/?limit=1"))["next"]
    assert got(ann.get(f"{drafts(CASE)}objects/?limit=1&next={mine}"))["objects"]
    no(ben, f"{drafts(CASE)}objects/?next={mine}")
    no(ann, f"{drafts(OTHER_CASE)}objects/?next={mine}")
    no(ann, f"{OPEN}objects/?next={mine}")


def test_a_walk_meets_each_object_once_while_more_are_added(
    tmp_path: Path, database_url: str
) -> None:
    """A16: equal moments of the clock, two installations on one database, each page from the other one.

    Both the place of the answer and the header's moment lead on, and neither repeats or leaves out anything.
    """
    with house(tmp_path, database_url) as one, house(tmp_path, database_url) as two:
        flaws(one, *range(20))
        asked = (client(one), client(two))
        met, dated = list[str](), list[str]()
        query, after, turn = "limit=3", "", 0
        more = True
        while more:
            answer = asked[turn % 2].get(f"{OPEN}objects/?{query}{after}")
            met += ids([got(answer)])
            more = got(answer)["more"]
            after = f"&next={got(answer).get('next')}"
            if turn < 6:
                flaws((two, one)[turn % 2], 100 + turn)
            turn += 1
        everything = ids([got(asked[0].get(f"{OPEN}objects/?limit=500"))])
        assert len(everything) == 2 + 26
        assert met == everything
        after = ""
        while not dated or dated[-1]:
            answer = asked[turn % 2].get(f"{OPEN}objects/?limit=7{after}")
            dated += ids([got(answer)]) or [""]
            after = f"&added_after={answer.headers.get('x-taxii-date-added-last')}"
            turn += 1
        assert dated[:-1] == everything


def test_writers_at_once_leave_no_gap(tmp_path: Path, database_url: str) -> None:
    """Four threads publish under one clock while a fifth walks: what it met is what there is."""
    with house(tmp_path, database_url) as one:
        ask, met = client(one), list[str]()
        writers = [
            threading.Thread(target=flaws, args=(one, *range(first, first + 10)))
            for first in (0, 10, 20, 30)
        ]
        for writer in writers:
            writer.start()
        after, fresh, writing = "", [""], True
        # Only an answer asked for after the last writer had ended, and that was empty, is the end.
        while fresh or writing:
            writing = any(writer.is_alive() for writer in writers)
            answer = ask.get(f"{OPEN}objects/?limit=4{after}")
            fresh = ids([got(answer)])
            met += fresh
            last = answer.headers.get("x-taxii-date-added-last")
            after = f"&added_after={last}" if last else after
        for writer in writers:
            writer.join()
        assert met == ids([got(ask.get(f"{OPEN}objects/?limit=500"))])
        assert len(met) == 42


@contextmanager
def counted(at: House) -> Iterator[list[str]]:
    """The statements that the database is given meanwhile."""
    told = list[str]()
    engine: sa.Engine = at.door.parts.store._engine  # type: ignore[attr-defined]

    def tell(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        told.append(statement)

    event.listen(engine, "before_cursor_execute", tell)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", tell)


def test_a_page_costs_five_questions_at_most(each: House) -> None:
    """Whatever it holds and whoever asks, but for what begins a transaction and says whose it is."""
    flaws(each, *range(30))
    draft(each.door.parts.store, numbered(90))
    each.enrol("ann", "maintainer", cases=frozenset({CASE}))
    nobody, ann = client(each), client(each, "ann")
    costs = set[int]()
    for ask, path in (
        (nobody, f"{OPEN}objects/?limit=2"),
        (nobody, f"{OPEN}objects/?limit=30"),
        (nobody, f"{OPEN}manifest/?limit=30&match[version]=all"),
        (ann, f"{drafts(CASE)}objects/"),
    ):
        with counted(each) as told:
            got(ask.get(path))
        asked = [one for one in told if "set_config" not in one and not one.startswith("BEGIN")]
        assert len(asked) <= 5 + 2 * (ask is ann), asked  # a session is looked up in two
        costs.add(len(asked)) if ask is nobody else None
    assert len(costs) == 1


def test_drafts_are_for_the_parties_of_their_case(each: House) -> None:
    """Listed, shown and counted to those named for it; to everybody else as if there were none."""
    store = each.door.parts.store
    draft(store, numbered(1), CASE, tlp=Tlp.RED)
    draft(store, numbered(2), OTHER_CASE, tlp=Tlp.AMBER_STRICT)
    each.enrol("party", "maintainer", cases=frozenset({CASE}))
    each.enrol("outer", "maintainer", cases=frozenset({f"{CASE}/outer"}))
    mine = client(each, "party")
    listed = got(mine.get(f"{ROOT}collections/"))["collections"]
    assert [one["title"] for one in listed] == ["Published advisories", f"Drafts of {CASE}"]
    (only,) = got(mine.get(f"{drafts(CASE)}objects/"))["objects"]
    assert only["name"] == numbered(1).flaws[0].cve
    assert only["object_marking_refs"] == [stix.marking(Tlp.RED)]
    assert got(mine.get(f"{drafts(CASE)}objects/{only['id']}/versions/"))["versions"]
    nowhere = "00000000-0000-5000-8000-000000000000"
    others = ["", "outer"]
    for role in ("auditor", "administrator", "operator", "coordinator", "finder", "developer"):
        each.enrol(f"a-{role}", role)
        others.append(f"a-{role}")
    for person in others:
        ask = (
            client(each)
            if not person
            else client(each, person)
            if person != "ended"
            else client(each)
        )
        for below in (
            "",
            "objects/",
            "manifest/",
            f"objects/{only['id']}/",
            f"objects/{only['id']}/versions/",
        ):
            hidden = ask.get(drafts(CASE) + below)
            refused(hidden, 404)
            absent = ask.get(f"{ROOT}collections/{nowhere}/{below}")
            assert hidden.content == absent.content
            assert dict(hidden.headers) == dict(absent.headers)
        told = ask.get(f"{ROOT}collections/").text
        assert CASE not in told
        assert only["name"] not in ask.get(f"{OPEN}objects/").text
    refused(mine.get(f"{drafts(OTHER_CASE)}objects/"), 404)
    refused(mine.get(f"{OPEN}objects/{only['id']}/"), 404)


def test_what_is_drafted_goes_when_it_is_published(each: House) -> None:
    """Another draft takes its place; what is published has ids of its own; nothing of the draft stays."""
    store = each.door.parts.store
    each.enrol("party", "maintainer", cases=frozenset({CASE}))
    ask = client(each, "party")
    held = numbered(1)
    draft(store, held, tlp=Tlp.RED)
    first = got(ask.get(f"{drafts(CASE)}objects/"))["objects"]
    draft(
        store,
        replace(held, flaws=(replace(held.flaws[0], description="Other words."),)),
        tlp=Tlp.RED,
    )
    second = got(ask.get(f"{drafts(CASE)}objects/?match[version]=all"))["objects"]
    assert [one["id"] for one in first] == [one["id"] for one in second]
    assert second[0]["description"] == "Other words."
    assert second[0]["modified"] > first[0]["modified"]
    assert second[0]["created"] == first[0]["created"]
    publish(store, held)
    assert got(ask.get(f"{drafts(CASE)}objects/")) == {"more": False}
    public = got(ask.get(f"{OPEN}objects/"))["objects"]
    assert not {one["id"] for one in first} & {one["id"] for one in public}
    with store.read() as view:
        assert {one.case for one in view.shared_with(held.id, frozenset())} == {""}


def test_a_public_page_costs_the_same_whatever_is_secret(each: House) -> None:
    """The same statements with the same values, and the same bytes, with and without a draft."""
    flaws(each, 1)
    with counted(each) as before:
        one = client(each).get(f"{OPEN}objects/")
    draft(each.door.parts.store, numbered(1_000))
    with counted(each) as after:
        other = client(each).get(f"{OPEN}objects/")
    assert (before, one.content, one.headers) == (after, other.content, other.headers)


class InSession(requests.auth.AuthBase):
    """Somebody's session, for a client that knows of none."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """As `requests` has it."""
        r.headers["cookie"] = f"{COOKIE}={self._token}"
        return r


def session(at: House, person: str) -> InSession:
    """One begun with the person's password."""
    at.password(person)
    return InSession(at.signed_in(person).token)


def test_the_standards_own_client_reads_everything(each: House) -> None:
    """`taxii2-client`: discovery, collections, pages of objects and manifests, an object, its versions."""
    store = each.door.parts.store
    flaws(each, *range(12))
    publish(store, revised(numbered(3)))
    with served(each, None) as url:
        server = Server(url + DISCOVERY)
        assert server.title == "Leadline"
        (root,) = server.api_roots
        assert isinstance(root, ApiRoot)
        assert root.versions == [taxii.MEDIA]
        (public,) = root.collections
        assert isinstance(public, Collection)
        assert public.can_read
        assert not public.can_write
        pages = list(as_pages(public.get_objects, per_request=5))
        assert [len(one["objects"]) for one in pages] == [5, 5, 4]
        assert len(set(ids(pages))) == 14
        listed = list(as_pages(public.get_manifest, per_request=4))
        assert [e["id"] for page in listed for e in page["objects"]] == [
            one.partition(" ")[0] for one in ids(pages)
        ]
        name = stix.objects(numbered(3))[-1]["id"]
        assert public.get_object(name)["objects"][0]["modified"] > "2026-11-01"
        assert len(public.object_versions(name)["versions"]) == 2
        last = public.get_objects(added_after=AT + timedelta(days=400), type="vulnerability")
        assert last.get("objects", []) == []


def test_the_standards_own_client_in_a_session(at: House) -> None:
    """A party's program reads the case's drafts, and another party's does not."""
    draft(at.door.parts.store, numbered(1))
    at.enrol("party", "maintainer", cases=frozenset({CASE}))
    at.enrol("rival", "maintainer", cases=frozenset({OTHER_CASE}))
    with served(at, None) as url:
        drafted = ApiRoot(url + ROOT, auth=session(at, "party")).collections[-1]
        assert drafted.title == f"Drafts of {CASE}"
        assert [one["name"] for one in drafted.get_objects()["objects"]] == ["CVE-2026-10010"]
        auth = session(at, "rival")
        theirs = [one.title for one in ApiRoot(url + ROOT, auth=auth).collections]
        assert theirs == ["Published advisories", f"Drafts of {OTHER_CASE}"]
        with pytest.raises(requests.HTTPError, match="404"):
            Collection(drafted.url, auth=auth).get_objects()
        with pytest.raises(requests.HTTPError, match="401"):
            _ = ApiRoot(url + ROOT, user="party", password="a guess").title


def test_a_credential_reaches_what_is_public_alone(at: House) -> None:
    """It is for one engagement, and no case is part of one; without its key it is nobody's."""
    draft(at.door.parts.store, numbered(1))
    flaws(at, 2)
    at.enrol("party", "coordinator", cases=frozenset({CASE}))
    prover, until = Prover(), at.clock.now + timedelta(days=1)
    scopes = (Action.CASE_READ, Action.RECORD_READ)
    made = credentials.issue(at.ctx("party"), scopes, make.ENGAGEMENT, f"jkt:{prover.jkt}", until)

    def shown(path: str) -> Response:
        sent = Sent("GET", ORIGIN + path, made.secret)
        proof = prover.proof(sent, at.clock.now)
        return client(at).get(path, headers={"authorization": f"DPoP {made.secret}", "dpop": proof})

    assert len(got(shown(f"{OPEN}objects/"))["objects"]) == 3
    assert len(got(shown(f"{ROOT}collections/"))["collections"]) == 1
    refused(shown(f"{drafts(CASE)}objects/"), 404)
    bare = client(at).get(f"{OPEN}objects/", headers={"authorization": f"Bearer {made.secret}"})
    refused(bare, 403)


def test_whoever_shows_what_does_not_hold_is_refused(at: House) -> None:
    """Even where nobody need be signed in; what would do is told."""
    for headers in (
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer x"},
        {"cookie": f"{COOKIE}=x"},
    ):
        answer = client(at).get(f"{OPEN}objects/", headers=headers)
        refused(answer, 401)
        assert answer.headers["www-authenticate"].startswith("DPoP")


def test_nothing_of_a_request_comes_back_in_a_header(at: House) -> None:
    """No line can be begun in an answer, whatever stands in path or query."""
    flaws(at, 1)
    bad = "%0d%0ax-evil:%201"
    for path in (
        f"{OPEN}objects/?next={bad}", f"{OPEN}objects/?match[id]={bad}", f"{OPEN}objects/{bad}/",
        f"{ROOT}collections/{bad}/", f"{ROOT}status/{bad}/", f"{OPEN}objects/?added_after={bad}",
        f"{OPEN}objects/%00/", f"{OPEN}objects/%00/versions/", f"{ROOT}collections/%00/",
    ):  # fmt: skip
        answer = client(at).get(path)
        assert answer.status_code in {200, 400, 404}
        assert "x-evil" not in answer.headers
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"


def test_head_answers_as_get(at: House) -> None:
    """With its headers; other methods have an error message."""
    flaws(at, 1)
    answer = client(at).head(f"{OPEN}objects/")
    assert answer.status_code == 200
    assert answer.headers["x-taxii-date-added-last"]
    refused(client(at).patch(f"{OPEN}objects/"), 405)
    refused(client(at).get(f"{ROOT}nothing/"), 404)


def test_what_was_published_before_is_there_once_the_store_is_opened(
    tmp_path: Path, database_url: str
) -> None:
    """An installation of an older schema: the last state of each advisory, and the drafts, once."""
    with house(tmp_path, database_url) as found:
        store = found.door.parts.store
        flaws(found, 1, 2)
        publish(store, revised(numbered(2)))
        draft(store, numbered(3))
        before = walked(client(found), f"{OPEN}objects/")
        with store._engine.begin() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql("DELETE FROM shared")
            connection.exec_driver_sql("DELETE FROM listed")
    for _ in range(2):
        with house(tmp_path, database_url) as found:
            assert sorted(ids(walked(client(found), f"{OPEN}objects/"))) == sorted(ids(before))
            found.enrol("party", "maintainer", cases=frozenset({CASE}))
            assert len(got(client(found, "party").get(f"{drafts(CASE)}objects/"))["objects"]) == 1


def test_one_seal_for_all_processes(tmp_path: Path) -> None:
    """Two that begin at once have one secret, which only its owner may read."""
    with house(tmp_path) as found:
        seals = list[bytes]()
        threads = [
            threading.Thread(target=lambda: seals.append(Portal(found.door, found.home).seal(b"x")))
            for _ in range(8)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(set(seals)) == 1
        assert (found.home.keys / "taxii.key").stat().st_mode & 0o077 == 0
