"""Scan leases: what is asked, what is answered, and what counts as coverage."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from clearing_values import unhurried
from leadline.core.clearing import lease as core
from leadline.core.clearing.lease import (
    Answer,
    Fault,
    Lease,
    LeaseState,
    RunManifest,
    Standing,
    Target,
    Tree,
)
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind, Value, instant

BASE, COMMIT = "a" * 40, "b" * 40
REPOSITORY = Target("", "https://example.org/owner/name", BASE, COMMIT)
PACKAGE = Target("pkg:pypi/example@1.0")
TREE = Tree(COMMIT, ("README", "src/a.c", "src/b/c.c", "src/b/d/e.c", "doc/x.md"))
DAY = timedelta(days=1)


def faulty(target: Target, hours: float = 48, effort: int = 4) -> list[str]:
    """Where a request is at fault."""
    until = make.NOW + timedelta(hours=hours)
    return [one.place for one in core.faults(target, make.NOW, until, effort)]


def lease(name: str = "lease-1", finder: str = "f", target: Target = REPOSITORY) -> Lease:
    """A lease over the whole of a target."""
    blocks, _ = core.blocks(target, TREE)
    return Lease(name, finder, target, blocks, 4, make.NOW, make.NOW + DAY)


def manifest(**changed: object) -> RunManifest:
    """A manifest that proves the lease."""
    made = RunManifest(COMMIT, TREE.paths, "a fuzzer", 3, 0, "c" * 64)
    return replace(made, **changed)  # type: ignore[arg-type] # the tests name real fields


def act(kind: Kind, about: str, actor: str = "f", **detail: Value) -> Act:
    """One act of a lease."""
    return Act(f"{kind}-{about}", kind, make.NOW, actor, about, "", detail)


def taken(one: Lease) -> Act:
    """The act that takes it."""
    return act(Kind.LEASE_TAKEN, one.id, one.finder, **core.detail(one))


def closed(one: Lease, said: RunManifest | None) -> Act:
    """The act that closes it."""
    detail = core.manifest_detail(said) if said else {}
    return act(Kind.LEASE_CLOSED, one.id, one.finder, **detail)


def at(*acts: Act, now: datetime = make.NOW) -> Standing:
    """The only lease of these acts."""
    (found,) = core.standings(acts, now).values()
    return found


@pytest.mark.parametrize(
    ("target", "places"),
    [
        (REPOSITORY, []),
        (PACKAGE, []),
        (Target(), ["/target"]),
        (replace(REPOSITORY, purl="pkg:pypi/x"), ["/target"]),
        (Target("pypi/x"), ["/target/purl"]),
        (replace(REPOSITORY, repository="https://example.org"), ["/target/repository"]),
        (replace(REPOSITORY, repository="https://example.org/owner"), ["/target/repository"]),
        (replace(REPOSITORY, commit="main", base=""), ["/target/base", "/target/commit"]),
        (replace(PACKAGE, paths=()), ["/target/paths"]),
        (
            replace(PACKAGE, paths=("/etc/*", "a/../b", "ok")),
            ["/target/paths/0", "/target/paths/1"],
        ),
        (replace(PACKAGE, weaknesses=("CWE-787", "memory")), ["/target/weaknesses/1"]),
        (Target(blind=("d" * 64,)), []),
        (Target(blind=("d",)), ["/target/blind"]),
        (replace(PACKAGE, blind=("d" * 64,)), ["/target/blind"]),
    ],
)
def test_every_fault_of_a_target_is_listed(target: Target, places: list[str]) -> None:
    """With its place; a sound one has none."""
    assert faulty(target) == places


@pytest.mark.parametrize(
    "said",
    ["192.0.2.7", "192.0.2.7:443", "192.0.2.0/24", "http://intranet/login", "ssh://host", "host:22",
     "[2001:db8::1]:80", "fe80::1"],
)  # fmt: skip
def test_running_systems_are_refused_with_a_pointer_to_their_owner(said: str) -> None:
    """Whichever field they stand in."""
    for target in (Target(said), replace(REPOSITORY, repository=said)):
        (fault,) = core.faults(target, make.NOW, make.NOW + DAY, 1)
        assert fault.problem == core.LIVE
        assert "owner" in fault.problem


def test_time_and_effort_have_limits() -> None:
    """The answer shows the latest moment."""
    assert faulty(PACKAGE, 24) == faulty(PACKAGE, 72) == []
    assert faulty(PACKAGE, 23) == faulty(PACKAGE, 73) == ["/until"]
    assert faulty(PACKAGE, 48, 0) == ["/effort_hours"]
    assert faulty(Target(), 73, -1) == ["/target", "/until", "/effort_hours"]
    (fault,) = core.faults(PACKAGE, make.NOW, make.NOW + 9 * DAY, 1)
    assert instant(make.NOW + 3 * DAY) in fault.problem


def test_blocks_are_folders_of_the_files_that_are_meant() -> None:
    """Two levels deep; without a checkout the globs stand for themselves."""
    made, found = core.blocks(REPOSITORY, TREE)
    assert (made, found) == ((".", "doc", "src", "src/b"), [])
    assert core.blocks(replace(REPOSITORY, paths=("src/**",)), TREE)[0] == ("src", "src/b")
    assert core.blocks(replace(REPOSITORY, paths=("src/*.?",)), TREE)[0] == ("src",)
    assert core.blocks(replace(REPOSITORY, paths=("**/e.c",)), TREE)[0] == ("src/b",)
    assert core.blocks(replace(PACKAGE, paths=("b", "a")), None) == (("a", "b"), [])
    assert core.blocks(Target(blind=("e" * 64,)), None)[0] == ("e" * 64,)


def test_what_the_checkout_does_not_bear_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another commit, a base that leads nowhere, no file, or far too many."""

    def places(target: Target, tree: Tree) -> list[Fault]:
        return core.blocks(target, tree)[1]

    (fault,) = places(REPOSITORY, replace(TREE, commit=BASE))
    assert fault.place == "/target/commit"
    assert BASE in fault.problem, "the part that resolved is named"
    (fault,) = places(REPOSITORY, replace(TREE, base_is_ancestor=False))
    assert fault.place == "/target/base"
    (fault,) = places(replace(REPOSITORY, paths=("none/**",)), TREE)
    assert "no file" in fault.problem
    monkeypatch.setattr(core, "FILES_MAX", 2)
    (fault,) = places(REPOSITORY, TREE)
    assert "split" in fault.problem


def test_a_lease_ends_by_itself_and_counts_only_with_proof() -> None:
    """Active, expired, closed without a manifest, closed with a poor one, closed with proof."""
    one = lease()
    assert at(taken(one)).state is LeaseState.ACTIVE
    assert at(taken(one)).lease == one, "what is read back is what was taken"
    assert at(taken(one), now=make.NOW + DAY).state is LeaseState.EXPIRED
    longer = act(Kind.LEASE_RENEWED, one.id, until=instant(make.NOW + 2 * DAY))
    assert at(taken(one), longer, now=make.NOW + DAY).open
    assert one.notice_at == make.NOW + timedelta(hours=19.2)
    bare = at(taken(one), closed(one, None))
    assert (bare.state, bare.manifest) == (LeaseState.UNPROVED, None)
    done = at(taken(one), closed(one, manifest()), closed(one, None))
    assert (done.state, done.manifest, done.why) == (LeaseState.PROVED, manifest(), "")
    assert core.standings([act(Kind.CASE_OPENED, "case")], make.NOW) == {}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"commit": BASE}, "of commit"),
        ({"effort_hours": 0}, "no effort"),
        ({"log": ""}, "no digest"),
        ({"paths": ("src", "doc")}, "2 blocks"),
    ],
)
def test_a_manifest_that_proves_nothing_is_kept_and_says_why(
    changed: dict[str, object], why: str
) -> None:
    """The lease is closed, and nothing counts as covered."""
    one = lease()
    found = at(taken(one), closed(one, manifest(**changed)))
    assert (found.state, found.manifest) == (LeaseState.UNPROVED, manifest(**changed))
    assert why in found.why
    assert core.answer(REPOSITORY, one.blocks, [found]) == Answer("free")


def test_others_are_three_answers_and_never_a_name() -> None:
    """Two finders collide: how much of it overlaps; once closed with proof, that it is covered."""
    one = lease(target=replace(REPOSITORY, paths=("src/**",)))
    wanted, _ = core.blocks(REPOSITORY, TREE)
    assert core.answer(REPOSITORY, wanted, []).words == "free"
    told = core.answer(REPOSITORY, wanted, [at(taken(one))])
    assert told.words == "overlapping (50% of path blocks)"
    assert core.answer(REPOSITORY, wanted, [at(taken(one), now=make.NOW + DAY)]).words == "free"
    part = at(taken(one), closed(one, manifest(paths=("src", "src/b"))))
    assert core.answer(REPOSITORY, wanted, [part]).words == "free", "a part of it is not all of it"
    whole = [at(taken(o), closed(o, manifest())) for o in (lease(finder=f"f{n}") for n in range(6))]
    told = core.answer(REPOSITORY, wanted, whole[:2])
    assert told.words == f"covered at commit {COMMIT} by fewer than 5 finders"
    assert core.answer(REPOSITORY, wanted, whole).finders == "6"
    later = replace(REPOSITORY, commit="c" * 40)
    assert core.answer(later, wanted, whole).state == "free", "coverage is of one commit"
    assert core.answer(PACKAGE, ("**",), whole).state == "free"


def test_weakness_classes_meet_or_do_not() -> None:
    """None named is all of them."""
    one = at(taken(lease(target=replace(REPOSITORY, weaknesses=("CWE-787",)))))
    wanted, _ = core.blocks(REPOSITORY, TREE)
    for weaknesses, state in (
        ((), "overlapping"),
        (("CWE-79",), "free"),
        (("CWE-787",), "overlapping"),
    ):
        asked = replace(REPOSITORY, weaknesses=weaknesses)
        assert core.answer(asked, wanted, [one]).state == state


def test_blind_tokens_meet_by_equality_within_one_epoch() -> None:
    """Fields do not run into each other, and the sentence says what is not hidden."""
    key = b"k" * 32
    tokens = [core.token(key, "repo", "tree", block) for block in ("a", "b", "c")]
    assert core.token(key, "repo", "tre", "ea") != core.token(key, "repo", "tree", "a")
    assert core.token(b"l" * 32, "repo", "tree", "a") != tokens[0]
    one = lease(target=Target(blind=(tokens[0], tokens[1])))
    asked = Target(blind=(tokens[1], tokens[2]))
    told = core.answer(asked, core.blocks(asked, None)[0], [at(taken(one))])
    assert told == Answer("overlapping", overlap=0.5)
    assert core.answer(REPOSITORY, (".",), [at(taken(one))]).state == "free"
    done = at(taken(one), closed(one, manifest(paths=one.blocks)))
    assert core.answer(one.target, one.blocks, [done]).state == "covered"
    assert "does not hide it from whoever keeps the registry" in core.BLIND


def test_months_say_no_small_number() -> None:
    """Nor one that could be had by subtracting."""
    many = [
        at(taken(o), closed(o, manifest())) for o in (lease(f"l{n}", f"f{n}") for n in range(9))
    ]
    lost = [at(taken(o), now=make.NOW + DAY) for o in (lease(f"x{n}", f"g{n}") for n in range(9))]
    (month,) = core.months(many[:4])
    assert (month.leases, month.proved, month.unproved, month.finders) == (None,) * 4
    (month,) = core.months([*many, *lost[:3]])
    assert (month.leases, month.proved, month.unproved, month.finders) == (12, None, None, 12)
    (month,) = core.months([*many, *lost])
    assert (month.leases, month.proved, month.unproved, month.finders) == (18, 9, 9, 18)
    assert core.unproved_share([*many[:1], *lost[:2], at(taken(lease()))]) == (2, 3)
    assert core.open_leases({"a": at(taken(lease())), "b": lost[0]}, "f") == 1


def test_a_tenth_of_blocks_is_looked_at_twice_on_purpose() -> None:
    """Fixed by the seed, so that everybody gets one answer."""
    chosen = sum(core.replicated(f"b{n}", "seed") for n in range(5000))
    assert 400 < chosen < 600
    assert core.replicated("b1", "seed") is core.replicated("b1", "seed")


def test_what_is_not_found_yet_is_an_interval_with_its_warning() -> None:
    """Chapman's estimate; all found twice leaves nothing to estimate; impossible counts are refused."""
    told = core.chapman(20, 15, 5)
    assert (told.found, told.total) == (30, 55)
    assert 30 < told.low < 55 < told.high
    assert "independent" in told.warning
    assert core.chapman(4, 4, 4).high == 4
    for counts in ((3, 3, 4), (3, 3, -1)):
        with pytest.raises(Invalid, match="more than either"):
            core.chapman(*counts)


@unhurried
@given(first=st.integers(0, 60), second=st.integers(0, 60), data=st.data())
def test_an_estimate_is_never_below_what_was_found(
    first: int, second: int, data: st.DataObject
) -> None:
    """And its interval holds it."""
    both = data.draw(st.integers(0, min(first, second)))
    told = core.chapman(first, second, both)
    assert told.found <= told.low <= told.total <= told.high


def others_say(wanted: Target, held: Target, *, proved: bool = False) -> str:
    """What a finder is told of *wanted* while another holds *held*, without any checkout."""
    made = Lease("lease-1", "f", held, core.blocks(held, None)[0], 4, make.NOW, make.NOW + DAY)
    acts = [taken(made)]
    if proved:
        acts.append(closed(made, manifest(commit="", paths=made.blocks)))
    return core.answer(wanted, core.blocks(wanted, None)[0], [at(*acts)]).state


@pytest.mark.parametrize(
    ("one", "two", "state"),
    [
        (Target(purl="pkg:pypi/a@1"), Target(purl="pkg:pypi/A@2"), "overlapping"),
        (Target(purl="pkg:pypi/a"), Target(purl="pkg:pypi/b"), "free"),
        (Target(purl="no purl"), Target(purl="no purl"), "overlapping"),
        (
            Target(repository="https://example.org/Owner/Name.git", paths=("src/**",)),
            Target(repository="https://example.org/owner/name/"),
            "overlapping",
        ),
        (
            Target(purl="pkg:pypi/a", paths=("src/a/*.c",)),
            Target(purl="pkg:pypi/a", paths=("src/**",)),
            "overlapping",
        ),
        (
            Target(purl="pkg:pypi/a", paths=("src/a.c",)),
            Target(purl="pkg:pypi/a", paths=("src/**",)),
            "overlapping",
        ),
        (
            Target(purl="pkg:pypi/a", paths=("src/**",)),
            Target(purl="pkg:pypi/a", paths=("docs/**",)),
            "free",
        ),
    ],
)
def test_one_target_is_one_however_it_is_written(one: Target, two: Target, state: str) -> None:
    """Spelling, release and globs hide no overlap, from either side."""
    assert others_say(one, two) == state
    assert others_say(two, one) == state


def test_what_was_covered_of_one_release_covers_no_other() -> None:
    """Looking at the next release is new work."""
    first, second = (Target(purl=f"pkg:pypi/a@{number}") for number in (1, 2))
    assert others_say(first, first, proved=True) == "covered"
    assert others_say(second, first, proved=True) == "free"
    odd = Target(purl="no purl")
    assert others_say(odd, odd, proved=True) == "covered"


def test_one_class_that_was_looked_for_covers_no_other() -> None:
    """Nor all of them."""
    whole = Target(purl="pkg:pypi/a")
    one = replace(whole, weaknesses=("CWE-79", "CWE-89"))
    for asked, state in (
        (whole, "free"),
        (replace(whole, weaknesses=("CWE-79",)), "covered"),
        (replace(whole, weaknesses=("CWE-79", "CWE-787")), "free"),
    ):
        assert others_say(asked, one, proved=True) == state
    assert others_say(one, whole, proved=True) == "covered"
    assert core.Answer("covered", finders="6").words == "covered by 6 finders"
