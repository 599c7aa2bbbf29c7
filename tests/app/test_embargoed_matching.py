"""Whoever uploads every package name reads nothing of what is under embargo, byte for byte.

Two installations with the same people and ids, one of which coordinates a case under embargo. A new
operator does everything it can in both. What it is answered, what errors say, what is logged, which
files are written and how often the store is asked are the same.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

import clearing_values as values
from fakes import MemoryVault
from leadline.app import notices, operators
from leadline.app.context import Context
from leadline.app.ports import Store
from leadline.core.access import Bounds
from leadline.core.clearing.advisory import Advisory, Flaw, Reference, Revision, Statement
from leadline.core.clearing.delivery import Evidence, Words
from leadline.core.clearing.operator import Mode
from leadline.core.clearing.product import Interval, Releases, package
from leadline.core.clearing.receipt import Answer, Proof
from leadline.core.clearing.tiers import Stage
from leadline.core.errors import LeadlineError
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.formats.canonical import encode
from leadline.formats.values import plain
from operator_world import OPERATORS, OperatorWorld, bom

CANARY = "canary"
SECRET = package("npm", "", "canary-package")
NAMES = ("ujson", "canary-package", "zlib-ng", "openssl", "left-pad")


def secret(**fields: Any) -> Advisory:
    """An advisory with a canary in each of its fields."""
    statement = Statement(
        SECRET,
        affected=Releases((Interval("1.0.0", "6.66.6"),)),
        fixed=Releases(listed=("7.77.7",)),
        complete=True,
    )
    flaw = Flaw(
        ("CVE-2099-canary",),
        "canary-title",
        "canary-description in canary-file.c, canary_function",
        (statement,),
        cwe="CWE-canary",
        remedy="canary-remedy",
    )
    held: dict[str, Any] = {
        "id": "canary-advisory",
        "title": "canary-advisory-title",
        "flaws": (flaw,),
        "revisions": (Revision("1", values.AT, "canary-revision"),),
        "found_by": "canary-finder with canary-model",
        "references": (Reference("https://canary.example/", "canary-reference"),),
    }
    return Advisory(**(held | fields))


def public() -> Advisory:
    """What everybody knows: ujson before 5.2.0."""
    return values.advisory()


@dataclass
class Counted:
    """A store that counts what is asked of it."""

    store: Store
    asked: Counter[str] = field(default_factory=Counter)

    def acting(self, tenancy: object) -> "Counted":
        """As the port."""
        return self

    @contextmanager
    def read(self) -> Iterator[Any]:
        """As the port."""
        with self.store.read() as view:
            yield _View(view, self.asked)

    @contextmanager
    def write(self) -> Iterator[Any]:
        """As the port."""
        self.asked["write"] += 1
        with self.store.write() as tx:
            yield _View(tx, self.asked)


class _View:
    def __init__(self, view: object, asked: Counter[str]) -> None:
        self._view, self._asked = view, asked

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found = getattr(self._view, name)

        def counted(*given: Any, **more: Any) -> Any:
            answer = found(*given, **more)
            kind = getattr(given[0], "__name__", "") if given and isinstance(given[0], type) else ""
            self._asked[f"{name} {kind}".strip()] += 1
            # How many rows or acts came back, so that work that grows with a secret is seen.
            if name in {"find", "acts"} and (name == "find" or "kind" in more or "about" in more):
                self._asked[f"{name} {kind} rows".strip()] += len(answer)
            return answer

        return counted


def with_case(world: OperatorWorld, stage: Stage) -> None:
    """A case under embargo up to *stage*, with a told hospital and drafts of every careless kind."""
    world.open()
    with world.inner.store.write() as tx:
        for number, marking in enumerate((Tlp.AMBER_STRICT, Tlp.CLEAR, Tlp.RED)):
            tx.put(
                f"canary-draft-{number}",
                secret(id=f"canary-draft-{number}", tlp=marking),
                marking=Marking(marking),
                bounds=Bounds(case=world.case),
            )
    if stage is Stage.MITIGATION:
        notices.consent(world.at("maintainer"), world.case)
    else:
        world.ready(2)
    words = Words("", Evidence.REPLAYED)
    sent = world.release(stage, secret(), words)
    assert [one.operator for one in sent] == [world.operator["hospital"]]


def newcomer(world: OperatorWorld, folder: Path) -> tuple[list[str], Counter[str]]:
    """Everything that a new operator, never vetted and then vetted, can ask; and how it is answered."""
    answers, count = list[str](), Counted(world.inner.store)
    kept = sorted(path.name for path in folder.rglob("*"))

    def at(person: str = "bank") -> Context:
        return replace(world.at(person), store=count)

    def told(do: Callable[[], object]) -> None:
        try:
            answers.append(shown(do()))
        except LeadlineError as error:
            answers.append(f"{type(error).__name__}: {error}")

    def shown(found: object) -> str:
        return encode(plain(found), bytes_max=1 << 24).decode()

    world.enrol("bank", vetted=False, mode=Mode.HOSTED)
    for name in NAMES:
        for kind in ("npm", "pypi", "deb", "generic"):
            for version in ("", "2.0.0", "6.66.6", "7.77.7", "not a version"):
                purl = f"pkg:{kind}/{name}@{version}" if version else f"pkg:{kind}/{name}"
                world.after(seconds=1)
                told(lambda purl=purl: operators.give(at(), bom(purl), "upload.json"))  # type: ignore[misc] # mypy sees no default
    told(lambda: operators.give(at(), b'{"bomFormat": "CycloneDX"', "broken.json"))
    told(lambda: operators.give(at(), b"name,version\ncanary-package,1.0\n", "list.csv"))
    operators.vet(world.at("screener"), world.operator["bank"], "late")
    told(lambda: operators.inventories(at()))
    told(lambda: operators.listed(at()))
    told(lambda: notices.listed(at()))
    for guess in ("notice-screener-0001", "notice-none", "case-0001", "canary-advisory"):
        told(lambda guess=guess: notices.show(at(), guess))  # type: ignore[misc] # as above
        told(lambda guess=guess: notices.answer(at(), guess, Answer.APPLIED))  # type: ignore[misc] # as above
        told(lambda guess=guess: notices.prove(at(), guess, Proof.INVENTORY))  # type: ignore[misc] # as above
        told(lambda guess=guess: operators.inventory(at(), guess))  # type: ignore[misc] # as above
        told(lambda guess=guess: notices.burn_down(at(), guess))  # type: ignore[misc] # as above
        told(lambda guess=guess: notices.releases(at(), guess))  # type: ignore[misc] # as above
        told(lambda guess=guess: notices.release(at(), guess, public(), Stage.ADVANCE))  # type: ignore[misc] # as above
    assert sorted(path.name for path in folder.rglob("*")) == kept
    return answers, count.asked


def world_with(case: Stage | None) -> OperatorWorld:
    """The hospital runs the secret package and is told, where there is a case."""
    world = OperatorWorld()
    with world.inner.store.write() as tx:
        tx.put(public().id, public(), marking=Marking(Tlp.CLEAR))
    world.enrol("hospital")
    world.give("hospital", "pkg:npm/canary-package@2.0.0", "pkg:pypi/ujson@5.1.0")
    at = world.now
    if case is not None:
        with_case(world, case)
    world.inner.world.now = at
    world.after(days=1)
    return world


@pytest.mark.parametrize("stage", [Stage.MITIGATION, Stage.ADVANCE])
def test_a_newcomer_gets_byte_equal_answers(
    stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Answers, errors, logs, files and the number of steps do not depend on the case."""
    caplog.set_level(logging.DEBUG)
    with_it, with_steps = newcomer(world_with(stage), tmp_path)
    logged = caplog.text
    caplog.clear()
    without, without_steps = newcomer(world_with(None), tmp_path)
    assert with_it == without
    assert with_steps == without_steps
    assert logged == caplog.text
    joined = "\n".join(with_it)
    assert "ADV-1" in joined  # what is public is matched
    for line in with_it:
        # The newcomer wrote the package's name itself; nothing else of the advisory comes back.
        assert CANARY not in line.replace("canary-package", "").replace("canary-advisory", "")


def test_the_acts_of_a_newcomer_are_the_same() -> None:
    """What the log keeps about the newcomer, in both installations, is the same but for the leaf."""

    def acts(world: OperatorWorld) -> list[tuple[Kind, str, Mapping[str, Any]]]:
        world.enrol("bank")
        world.give("bank", "pkg:npm/canary-package@2.0.0")
        found = world.inner.world.acts()
        return [(one.kind, one.about, one.detail) for one in found if one.actor == "bank"]

    assert acts(world_with(Stage.ADVANCE)) == acts(world_with(None))


def test_a_release_reads_the_same_whoever_it_tells() -> None:
    """With no recipient at all, every inventory is read and the same transaction is written."""
    steps = []
    for purl, told in (("pkg:npm/canary-package@2.0.0", 2), ("pkg:npm/left-pad@1.0.0", 0)):
        world = OperatorWorld()
        for person in OPERATORS:
            world.enrol(person)
            world.give(person, purl)
        world.open()
        notices.consent(world.at("maintainer"), world.case)
        count, vault = Counted(world.inner.store), _CountedVault(world.inner.world.vault)
        ctx = replace(world.at("screener"), store=count, vault=vault)  # type: ignore[arg-type] # the part of the port that is used
        sent = notices.release(ctx, world.case, secret(), Stage.MITIGATION)
        asked = Counter(
            {k: v for k, v in count.asked.items() if not k.startswith(("put", "record"))}
        )
        steps.append((asked, vault.gets))
        assert len(sent) == told
    assert steps[0] == steps[1]


@dataclass
class _CountedVault:
    vault: MemoryVault
    gets: int = 0

    def get(self, digest: str) -> bytes:
        """As the port."""
        self.gets += 1
        return self.vault.get(digest)


@pytest.mark.parametrize("stage", [Stage.MITIGATION, Stage.ADVANCE])
def test_no_canary_reaches_anybody_before_publication(stage: Stage) -> None:
    """Notices of the told, answers to others, acts, errors: only the reader's own package name is there."""
    world = world_with(None)
    with_case(world, stage)
    (mine,) = notices.listed(world.at("hospital"))
    notice = mine.receipt.notice
    told = notices.show(world.at("hospital"), notice)
    assert told.row is not None
    outward = [
        encode(plain(part), bytes_max=1 << 24).decode()
        for part in (told.row.page, told.row.why, told.row.evidence, told.row.signed, told.receipt)
    ]
    outward += [
        encode(plain(notices.show(world.at("screener"), notice))).decode(),
        encode(plain(notices.listed(world.at("screener"), world.case))).decode(),
        encode(plain(notices.burn_down(world.at("clearing-auditor"), world.case))).decode(),
        *(str(act) for act in world.inner.world.acts()),
    ]
    for text in outward:
        left = text.replace("canary-package", "")
        assert CANARY not in left, text
        if stage is Stage.MITIGATION:
            assert "7.77.7" not in left
        assert "6.66.6" not in left
    assert all("canary-package" not in str(act) for act in world.inner.world.acts())


class _Loud(logging.Handler):
    @override
    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


def test_nothing_is_logged_while_notices_are_released() -> None:
    """No log line is written at all, so none can hold what is embargoed."""
    handler = _Loud()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        world = world_with(None)
        with_case(world, Stage.MITIGATION)
    finally:
        root.removeHandler(handler)
