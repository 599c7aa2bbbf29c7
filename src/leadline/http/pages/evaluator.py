"""An evaluator's pages: the queue, a plan before the run, the run itself, what came of it, one transcript."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from leadline.app import assessed, briefing, engagement, marks, measured, reporting
from leadline.app.assessed import Read, Waiting
from leadline.app.engagement import Dealings
from leadline.core import report as shown
from leadline.core.assessment import Budget, SampleResult, ShardResult, Subject
from leadline.core.errors import Invalid, NotFound
from leadline.core.isolation import Tier, parse_tier
from leadline.http.api import caller
from leadline.http.pages import viewer
from leadline.http.pages.form import Form
from leadline.http.pages.frame import SAID, WAYS, Me, Posted, Visit, Way, again
from leadline.http.pages.start import CARDS, Card
from leadline.render import charts
from leadline.render.document import Figure
from leadline.settings import Home
from leadline.wiring import assessments, runs
from leadline.wiring.assessments import Intended, Preview

ROUTES = APIRouter()
ROLES = frozenset({"evaluator", "evaluation-lead"})
RUN = "/engagements/{which}/assessment"
POLL_SECONDS, ALIVE_SECONDS = 1.0, 15.0
ATTEMPTS_SHOWN = 100
MONEY = 1_000_000  # of a dollar
WAYS.append(Way("Assessments", "/assessments", ROLES))
SAID["run-ended"] = "The run was ended. What was done stands in the record below."
SAID["run-thawed"] = "The run may go on: its shards are queued again."
SAID["run-begun"] = (
    "The run is being prepared. It commits to its plan first; the plan then stands here."
)


def waiting(visit: Visit) -> Iterable[Card]:
    """Assessments that run, and those whose access ends without a run."""
    if not visit.roles & ROLES:
        return
    for one in assessed.queue(visit.ctx, visit.portal.library):
        if one.open and one.run != "finished":
            words = f"The assessment is {one.run}. Government access ends by itself."
            path = f"/engagements/{one.engagement.id}/assessment"
            yield Card(f"Assessment of {one.engagement.model}", words, path, 1)


CARDS.append(waiting)


@ROUTES.get("/assessments")
def queue(me: Me) -> Response:
    """Every engagement that this person is named for, with how far its assessment is."""
    found: list[Waiting] = assessed.queue(me.ctx, me.portal.library)
    return me.page("evaluator/queue.html.j2", rows=found)


@ROUTES.get(RUN)
def run(which: str, me: Me) -> Response:
    """The run as it is now: what contains it first, then the path to its decision, then what it spends."""
    found = _read(me, which)
    if found is None:
        return me.go(f"/engagements/{which}/assessment/plan")
    now = assessments.live(me.desk, found)
    criteria, decision = assessments.decided(me.desk, found)
    told = reporting.decision_shown(criteria, found.plan, decision) if criteria else None
    return me.page(
        "evaluator/run.html.j2",
        found=found,
        live=now,
        decision=told,
        figure=path_figure(told) if told else None,
        words=reporting.TIERS[parse_tier(found.plan.tier)],
        scope=measured.scope_rows(found.own),
        entries=tuple(_out_of_scope(found)),
        ends=engagement.state_of(me.ctx, found.on)[1],
        goes_on=any(one.state in {"queued", "running"} for one in now.shards),
        frozen=any(one.state == "frozen" for one in now.shards),
        undriven=now.driver is not None and not now.driver.alive and found.stage != "finished",
    )


@ROUTES.get(RUN + "/path.svg")
def path_picture(which: str, me: Me) -> Response:
    """The path to the decision as a picture."""
    found = assessment_of(me, which)
    criteria, decision = assessments.decided(me.desk, found)
    told = reporting.decision_shown(criteria, found.plan, decision) if criteria else None
    figure = path_figure(told) if told else None
    if figure is None:
        raise NotFound("there is no path yet")
    return Response(figure.svg, media_type="image/svg+xml")


@ROUTES.get(RUN + "/families.svg")
def families_picture(which: str, me: Me) -> Response:
    """Shares by family as a picture."""
    figure = families_figure(briefing.suites(assessment_of(me, which)))
    if figure is None:
        raise NotFound("no family has a result yet")
    return Response(figure.svg, media_type="image/svg+xml")


@lru_cache(maxsize=64)
def path_figure(told: shown.Decision) -> Figure | None:
    """The path to a decision, drawn once for each state of it."""
    return charts.decision_path(told)


@lru_cache(maxsize=64)
def families_figure(suites: tuple[shown.SuiteReport, ...]) -> Figure | None:
    """Shares by family with their intervals, drawn once for each state of them."""
    return charts.by_family(suites)


@ROUTES.post(RUN + "/stops")
@again(run)
def stop(which: str, me: Posted) -> Response:
    """End every sandbox of a run now. It waits for nothing; what was done is written down after."""
    reason = me.form.text("reason", longest=500)
    assessments.end(me.desk, assessment_of(me, which), reason)
    return me.go(f"/engagements/{which}/assessment", said="run-ended")


@ROUTES.post(RUN + "/resumptions")
@again(run)
def resume(which: str, me: Posted) -> Response:
    """Let a frozen run go on, with the reason."""
    assessments.thaw(me.desk, assessment_of(me, which), me.form.text("why", longest=500))
    return me.go(f"/engagements/{which}/assessment", said="run-thawed")


@dataclass
class Pulse:
    """What one run's readers wait for. One task looks at the tables, however many read."""

    home: Home
    plan: str
    now: str = ""
    over: bool = False
    readers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    async def look(self) -> None:
        """Until nobody reads any more."""
        while True:
            found = await run_in_threadpool(assessments.pulse, self.home, self.plan)
            self.over = not await run_in_threadpool(assessments.unfinished, self.home, self.plan)
            if found != self.now:
                self.now = found
                self.changed.set()
                self.changed = asyncio.Event()
            await asyncio.sleep(POLL_SECONDS)


def _pulse(request: Request, home: Home, plan: str) -> Pulse:
    """The one pulse of a run in this process."""
    state = request.app.state
    if not hasattr(state, "pulses"):
        state.pulses = {}
    pulses: dict[str, Pulse] = state.pulses
    return pulses.setdefault(plan, Pulse(home, plan))


@ROUTES.get(RUN + "/events")
def events(which: str, me: Me) -> Response:
    """A line whenever something of the run changes; the page reads itself again then."""
    plan = assessment_of(me, which).plan.id
    token = me.request.cookies.get(caller.COOKIE, "")

    def still() -> bool:
        return me.portal.door.session(token) is not None

    pulse = _pulse(me.request, me.portal.home, plan)
    seen = me.request.headers.get("last-event-id", me.query("since"))
    return StreamingResponse(
        _told(pulse, seen, still),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _told(pulse: Pulse, seen: str, still: Callable[[], bool]) -> AsyncIterator[str]:
    """Each version once; a comment while nothing changes; the end of the run, or of the sign-in, last."""
    pulse.readers += 1
    if pulse.task is None or pulse.task.done():
        pulse.task = asyncio.create_task(pulse.look())
    try:
        yield "retry: 3000\n\n"
        while await run_in_threadpool(still):
            if pulse.now and pulse.now != seen:
                seen = pulse.now
                yield f"id: {seen}\nevent: run\ndata: changed\n\n"
            if pulse.now and pulse.over:
                yield "event: end\ndata: nothing of this run goes on\n\n"
                return
            try:
                async with asyncio.timeout(ALIVE_SECONDS):
                    await pulse.changed.wait()
            except TimeoutError:
                yield ": nothing new\n\n"
    finally:
        pulse.readers -= 1
        if not pulse.readers and pulse.task is not None:
            pulse.task.cancel()


@ROUTES.get(RUN + "/plan")
def plan(which: str, me: Me) -> Response:
    """The plan that was committed to; before there is one, what a run would be and whether it fits."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    found = assessed.read(me.ctx, on)
    window = engagement.state_of(me.ctx, on)[1]
    if found is not None:
        criteria, _ = assessments.decided(me.desk, found)
        told = reporting.elicitation(found.plan)
        return me.page(
            "evaluator/planned.html.j2", found=found, criteria=criteria, effort=told, ends=window
        )
    if not me.form.fields:
        asked = me.request.query_params
        me.form = Form({k: asked.getlist(k) for k in asked if k != "said"})
    looked = _previewed(me, on)
    return me.page(
        "evaluator/plan.html.j2",
        which=which,
        suites=assessments.suites(),
        preview=looked[0] if looked else None,
        driver=runs.driver(me.portal.home, on.id),
        tiers=[(tier.value, words) for tier, words in reporting.TIERS.items()],
        ends=window,
        known=engagement.standing(me.ctx, on).engagement,
    )


@ROUTES.post(RUN)
@again(plan)
def begin(which: str, me: Posted) -> Response:
    """Begin the run that was tried: its driver is a process of its own, which outlives this one."""
    on = assessed.readable(me.ctx, me.portal.library, which)
    ends, anyway = engagement.state_of(me.ctx, on)[1].ends, me.form.ticked("anyway")
    assessments.begin(me.desk, on, _intended(me.form), ends, anyway=anyway)
    return me.go(f"/engagements/{on.id}/assessment/plan", said="run-begun")


def _previewed(me: Visit, on: Dealings) -> tuple[Preview, Intended] | None:
    """What the form asks to see; None before it was filled in, or where a field is wrong."""
    if not me.form.fields.get("suites"):
        return None
    ends = engagement.state_of(me.ctx, on)[1].ends
    try:
        wanted = _intended(me.form)
        return assessments.preview(me.desk, wanted, ends), wanted
    except Invalid as error:
        me.fault = me.fault or error
        return None


def _intended(form: Form) -> Intended:
    """The form of a plan."""
    name = form.text("subject", "baseline", longest=200)
    budget = Budget(
        tokens=form.number("tokens", 0, 10**9) if form.text("tokens", "") else 0,
        seconds=form.number("seconds", 0, 10**6) if form.text("seconds", "") else 0,
        cost_micro_usd=form.number("dollars", 0, 10**6) * MONEY if form.text("dollars", "") else 0,
    )
    return Intended(
        subject=Subject("tool-agent" if name == "baseline" else "model", name, ""),
        suites=form.many("suites"),
        budget=budget,
        tier=form.text("tier", Tier.SHARED_KERNEL, longest=30),
        official=form.ticked("official"),
        run_tokens=form.number("run_tokens", 0, 10**12) if form.text("run_tokens", "") else 0,
        run_micro_usd=(
            form.number("run_dollars", 0, 10**9) * MONEY if form.text("run_dollars", "") else 0
        ),
        items=form.number("items", 0, 10_000) if form.text("items", "") else 0,
        epochs=form.number("epochs", 1, 100) if form.text("epochs", "") else 1,
    )


@ROUTES.get(RUN + "/results")
def results(which: str, me: Me) -> Response:
    """What came of the run so far: shares with intervals, what was lost, what was seen out of scope."""
    found = assessment_of(me, which)
    suites, marked = briefing.suites(found), marks.listed(me.ctx, found.on)
    criteria, decision = assessments.decided(me.desk, found)
    every = assessed.attempts(found)
    counting = [one for one in marked if one.counts]
    second = assessments.decided_without(me.desk, found, marked, criteria) if counting else None
    return me.page(
        "evaluator/results.html.j2",
        found=found,
        suites=suites,
        figure=families_figure(suites),
        decision=reporting.decision_shown(criteria, found.plan, decision) if criteria else None,
        attempts=every[:ATTEMPTS_SHOWN] if me.query("all") != "yes" else every,
        count=len(every),
        scope=measured.scope_rows(found.own),
        several=tuple(measured.several(found.plan, found.own)),
        losses=measured.losses(found.results),
        marked=marked,
        counting=counting,
        suites_without=briefing.suites(marks.without(found, marked)) if counting else (),
        decision_without=(
            reporting.decision_shown(criteria, found.plan, second) if criteria and second else None
        ),
        not_measured=reporting.not_measured(found.plan),
        effort=reporting.elicitation(found.plan),
    )


@ROUTES.get(RUN + "/samples/{item:path}/{epoch}")
def sample(which: str, item: str, epoch: int, me: Me) -> Response:
    """One attempt at one item: what it came to, and its transcript as plain text."""
    found = assessment_of(me, which)
    subject = me.form.text("subject", me.query("subject", found.plan.subject.name), longest=300)
    shard, one = assessed.sample(found, subject, item, epoch)
    text, ticket, why = None, "", ""
    try:
        digest = assessed.opened(me.ctx, found, one.log)
        text = assessments.transcript(_log(me, found, one.log, digest), item)
        ticket = viewer.ticket(me, found.on.id, one.log, digest)
    except NotFound as error:
        why = str(error)
    suite, planned = found.plan.items[item]
    return me.page(
        "evaluator/sample.html.j2",
        found=found,
        shard=shard,
        one=one,
        suite=suite,
        planned=planned,
        text=text,
        ticket=ticket,
        why=why,
        sealed=assessed.sealing(found, shard.shard),
        marks=[
            told
            for told in marks.listed(me.ctx, found.on)
            if (told.shard, told.item, told.epoch) == (shard.shard, item, epoch)
        ],
        runs=bool(me.roles & ROLES),
    )


def _log(me: Visit, found: Read, log: str, digest: str) -> Path:
    return assessments.log_file(me.portal.home, found.on.id, log, digest)


def _out_of_scope(found: Read) -> Iterable[tuple[ShardResult, SampleResult]]:
    """The attempts in which something was seen outside of their scope."""
    return (pair for pair in assessed.attempts(found) if pair[1].scope)


def _read(me: Visit, which: str) -> Read | None:
    """The assessment of an engagement, if there is one.

    Raises: NotFound; Denied.
    """
    return assessed.read(me.ctx, assessed.readable(me.ctx, me.portal.library, which))


def assessment_of(me: Visit, which: str) -> Read:
    """The assessment of an engagement.

    Raises: NotFound, also where none is planned; Denied.
    """
    found = _read(me, which)
    if found is None:
        raise NotFound("no assessment is planned here yet")
    return found
