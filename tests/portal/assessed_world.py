"""An assessment in an installation, made by use cases and without a sandbox: planned, isolated, run as far as told."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalSample,
    EvalSpec,
    write_eval_log,
)
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageUser
from inspect_ai.scorer import Score

import make
from app.laboratory import FakeLaboratory, digest
from identity.people import House
from leadline.app import assessment, engagement
from leadline.app.decision_verify import DRAWS
from leadline.app.engagement import Dealings
from leadline.app.ports import Shard
from leadline.app.request import Secret
from leadline.core.assessment import Budget, OutOfScope, Plan, SampleResult, ShardResult, Subject
from leadline.core.engagement.terms import Terms
from leadline.core.identity import Declared, Identified
from leadline.core.measure.assessed import decide
from leadline.core.measure.budget import Amount
from leadline.core.record.act import Kind
from leadline.core.record.commitment import derived_seed
from leadline.formats.canonical import encode
from leadline.formats.criteria_toml import load_criteria
from leadline.store.purse import open_purse
from leadline.store.shards import open_executor
from leadline.wiring.desk import criteria_packs

MODEL = "a model nobody heard of"
SECRET = Secret(bytes(range(32)), bytes(32))
SUBJECT = Subject("model", "vendor/model-7", "00" * 32)
PER_SHARD = 12
HOSTILE = "<script>document.title='owned'</script> I solved it."
TWO = "two-sign"  # the regime under which two persons decide
REASONS = "The suite leaves out what this model was trained for."


@dataclass(frozen=True)
class Assessed:
    """What stands there. *left* shards have not run."""

    plan: Plan
    on: Dealings
    left: int


def two_sign(at: House) -> None:
    """A regime of this installation under which a second person concurs or dissents."""
    folder = at.folder / "regimes"
    folder.mkdir(exist_ok=True)
    text = (_regimes() / "us-eo-14409.toml").read_text()
    body = 'body = "us-nsa-director"\n'
    more = 'quorum = 2\nconcurs = ["concurring-official"]\nreconsiders = true\n'
    assert body in text
    text = text.replace('id = "us-eo-14409"\n', f'id = "{TWO}"\n', 1).replace(body, body + more, 1)
    (folder / f"{TWO}.toml").write_text(text)


def _regimes() -> Path:
    import leadline

    return Path(leadline.__file__).parent / "data" / "regimes"


def open_engagement(at: House, regime: str = "us-eo-14409") -> Dealings:
    """An engagement with open access, the developer's and the official's terms agreed."""
    texts = at.portal.library
    on = Dealings(make.ENGAGEMENT, make.DEVELOPER, texts.newest(regime), texts)
    developer = at.enrol("developer", "developer", org=make.DEVELOPER, engagements=frozenset())
    at.enrol("official", "determining-official")
    at.enrol("evaluator", "evaluator")
    engagement.open_draft(at.ctx(developer.id), on, MODEL, SUBJECT)
    engagement.lodge_inquiry(at.ctx(developer.id), on, {"asked": "would it be covered?"})
    engagement.set_anchor(at.ctx(developer.id), on, at.clock.now + timedelta(days=20), "UTC")
    until = at.clock.now + timedelta(days=60)
    terms = Terms("c", "s", "i", "p", "u", "n", ("assessment",), 90, until)
    for person in (developer.id, "official"):
        engagement.agree_terms(at.ctx(person), on, terms)
    engagement.open_access(at.ctx(developer.id), on)
    return on


def assess(at: House, on: Dealings, *, person: str = "evaluator", ran: int = 99) -> Assessed:
    """Plan and run; the first *ran* shards are done and sealed, and the run is finished if that is all."""
    ctx, executor = at.ctx(person), open_executor(at.home.database)
    lab = FakeLaboratory(executor, ctx.vault, SUBJECT)
    plan = _plan(lab, on)
    assessment.plan_assessment(ctx, plan)
    drill = replace(lab.drill(), record={"seconds": "0.25", "processes": 9})
    assessment.record_isolation(ctx, plan, Kind.KILL_DRILLED, drill)
    assessment.record_isolation(ctx, plan, Kind.ISOLATION_PROVED, lab.prove("before"))
    assessment.start_assessment(ctx, plan)
    assessment.identify_subject(ctx, plan, Identified(Declared("made-up", SUBJECT.name)))
    first = _drawn(lab, plan)
    items = [(suite.name, item.id) for suite in plan.suites for item in suite.items]
    items.sort(key=lambda pair: first.index(pair[1]) if pair[1] in first else len(first))
    for number, start in enumerate(range(0, len(items), PER_SHARD)):
        for suite in sorted({name for name, _ in items[start : start + PER_SHARD]}):
            own = [id_ for name, id_ in items[start : start + PER_SHARD] if name == suite]
            named = f"{suite}/{number:03d}"
            told = {"name": named, "subject": SUBJECT.name, "items": ",".join(own), "epoch": "1"}
            executor.submit(plan.id, suite, told, total=len(own))
    open_purse(at.home.database).cap(plan.id, Amount(1_000_000, 5_000_000))
    (at.folder / "request.json").write_text("{}")
    seed = {"seed": SECRET.seed.hex(), "salt": SECRET.salt.hex()}
    (at.folder / "seed.json").write_bytes(encode(seed))
    return Assessed(plan, on, work(at, plan, ran, person=person))


def work(at: House, plan: Plan, ran: int = 99, *, person: str = "evaluator") -> int:
    """Do so many of the shards that wait, and finish the run with the last; answers how many are left."""
    ctx, executor = at.ctx(person), open_executor(at.home.database)
    lab = FakeLaboratory(executor, ctx.vault, SUBJECT)
    place, purse = at.folder.parent / "logs", open_purse(at.home.database)
    place.mkdir(exist_ok=True)
    for _ in range(ran):
        shard = executor.claim("w", now=at.clock.now, lease_seconds=9)
        if shard is None:
            break
        purse.reserve(shard, shard.id, Amount(1_000 * shard.total))
        purse.settle(shard, shard.id, Amount(900 * shard.total, 2_000 * shard.total))
        executor.finish(shard, now=at.clock.now, result=digest(shard.id))
        assessment.seal_evidence(ctx, plan, _logged(place, lab.result(shard)))
    left = sum(one.state == "queued" for one in executor.shards(plan.id))
    if not left:
        assessment.finish_assessment(ctx, plan, {"scored": len(plan.items)})
        assessment.reveal_seed(ctx, plan, SECRET.seed, SECRET.salt)
    return left


def _drawn(lab: FakeLaboratory, plan: Plan) -> list[str]:
    """The items in the order in which the decision asks for them."""
    told = {"name": "all", "subject": SUBJECT.name, "items": ",".join(plan.items), "epoch": "1"}
    whole = Shard("s", plan.id, "planted", told, "done", 0, "", 0, 0, 0, "", "", "")
    pack = criteria_packs()["demonstration"]
    criteria = load_criteria(pack.read_bytes(), pack.name)
    seed = derived_seed(SECRET.seed, DRAWS)
    course = decide(criteria, plan, lab.result(whole).samples, seed)
    assert course is not None
    return [item for batch in course.batches for item in batch]


def _plan(lab: FakeLaboratory, on: Dealings) -> Plan:
    pack = criteria_packs()["demonstration"].read_bytes()
    return Plan(
        id="asm-0001",
        engagement=on.id,
        subject=SUBJECT,
        suites=lab.suites(SECRET.seed),
        seed_commitment=SECRET.commitment,
        criteria="demonstration",
        criteria_digest=sha256(pack).hexdigest(),
        budget=Budget(tokens=10_000),
        epochs=1,
        shard_items=PER_SHARD,
        run_tokens=1_000_000,
    )


def _logged(place: Path, result: ShardResult) -> ShardResult:
    """*result* with an eval log of its samples, sealed by its digest."""
    name = f"{result.shard.replace('/', '-')}.eval"
    samples = tuple(_told(one, name, at == 0) for at, one in enumerate(result.samples))
    ids: list[str | int] = [one.item for one in samples]
    spec = EvalSpec(
        created="2026-11-01T00:00:00+00:00",
        task=result.suite,
        dataset=EvalDataset(name="made", samples=len(ids), sample_ids=ids),
        model=result.subject,
        config=EvalConfig(),
    )
    log = EvalLog(status="success", eval=spec, samples=[_sample(one) for one in samples])
    with ThreadPoolExecutor(
        1
    ) as aside:  # the browser's driver keeps a loop in the test's own thread
        aside.submit(write_eval_log, log, str(place / name), format="eval").result()
    sealed = sha256((place / name).read_bytes()).hexdigest()
    return replace(result, samples=samples, logs={name: sealed})


def _told(one: SampleResult, log: str, scoped: bool) -> SampleResult:  # noqa: FBT001
    seen = OutOfScope(
        "exec", "reads-elsewhere", "cat /etc/passwd", "warning", "2027-03-01T09:30:00Z"
    )
    return replace(one, log=log, tokens=900, seconds=3, scope=(seen,) if scoped else ())


def _sample(one: SampleResult) -> EvalSample:
    said: list[ChatMessage] = [
        ChatMessageUser(content="Find the flaw in the program."),
        ChatMessageAssistant(content=HOSTILE),
    ]
    score = Score(
        value="C" if one.solved else "I", explanation=json.dumps({"outcome": one.outcome})
    )
    return EvalSample(
        id=one.item, epoch=1, input="w", target="w", messages=said, scores={"judge": score}
    )
