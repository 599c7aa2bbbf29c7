"""Runs over the API: begun, ended, taken up again, an attempt made once more. The driver is no part of the server."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from leadline.app import assessed
from leadline.app.assessed import Read
from leadline.app.engagement import state_of
from leadline.client.shape import Adapter
from leadline.client.uses import PREFIX
from leadline.core.assessment import Budget, Subject
from leadline.core.errors import NotFound
from leadline.core.isolation import Tier
from leadline.http.api.contract import keyed
from leadline.http.api.counted import JSON, Body, Calls
from leadline.http.api.wire import Short, Wire
from leadline.wiring import assessments
from leadline.wiring.assessments import Intended
from leadline.wiring.desk import AtDesk

ROUTES = APIRouter()
RUN = "/engagements/{engagement}/assessment"
MONEY = 10**15
Reason = Annotated[str, Field(min_length=1, max_length=2_000)]
Count = Annotated[int, Field(ge=0, le=10**12)]


class RunIn(Wire):
    """What would run. *anyway*: also where it does not fit before access ends."""

    subject: Short = "baseline"
    suites: Annotated[tuple[Short, ...], Field(min_length=1, max_length=100)]
    items: Annotated[int, Field(ge=0, le=10_000)] = 0
    epochs: Annotated[int, Field(ge=1, le=100)] = 1
    tokens: Annotated[int, Field(ge=0, le=10**9)] = 0
    seconds: Annotated[int, Field(ge=0, le=10**6)] = 0
    cost_micro_usd: Annotated[int, Field(ge=0, le=MONEY)] = 0
    run_tokens: Count = 0
    run_cost_micro_usd: Annotated[int, Field(ge=0, le=MONEY)] = 0
    tier: Short = Tier.SHARED_KERNEL.value
    official: bool = False
    anyway: bool = False


class ReasonIn(Wire):
    """Why; it stands in the record."""

    reason: Reason


class RetryIn(Wire):
    """One attempt that was lost, and why it may be made once more."""

    subject: Short
    item: Short
    epoch: Annotated[int, Field(ge=1, le=100)]
    reason: Reason


class RunOut(Wire):
    """That it was taken in; how far it is, ``GET .../assessment`` tells."""

    engagement: str


RUN_OUT = Adapter(RunOut)


@ROUTES.post(
    RUN, tags=["engagements"], status_code=202, response_model=RunOut, openapi_extra=keyed()
)
def begin(engagement: str, given: RunIn, calls: Calls, body: Body) -> Response:
    """Begin a run; its driver is a process of its own. Without the tier that is asked for there is none."""

    def begun(at: AtDesk) -> str:
        on = assessed.readable(at.ctx, at.library, engagement)
        ends = state_of(at.ctx, on)[1].ends
        assessments.begin(at, on, _intended(given), ends, anyway=given.anyway)
        return on.id

    return _taken(calls, body, engagement, begun)


def _intended(given: RunIn) -> Intended:
    own = given.subject == "baseline"
    return Intended(
        subject=Subject("tool-agent" if own else "model", given.subject, ""),
        suites=given.suites,
        budget=Budget(0, given.tokens, given.seconds, given.cost_micro_usd),
        items=given.items,
        epochs=given.epochs,
        tier=given.tier,
        official=given.official,
        run_tokens=given.run_tokens,
        run_micro_usd=given.run_cost_micro_usd,
    )


@ROUTES.post(
    RUN + "/stops",
    tags=["engagements"],
    status_code=202,
    response_model=RunOut,
    openapi_extra=keyed(),
)
def stop(engagement: str, given: ReasonIn, calls: Calls, body: Body) -> Response:
    """End every sandbox of a run now; what was measured stays."""

    def stopped(at: AtDesk) -> str:
        found = _read(at, engagement)
        assessments.end(at, found, given.reason)
        return found.on.id

    return _taken(calls, body, engagement, stopped)


@ROUTES.post(
    RUN + "/resumptions",
    tags=["engagements"],
    status_code=202,
    response_model=RunOut,
    openapi_extra=keyed(),
)
def resume(engagement: str, given: ReasonIn, calls: Calls, body: Body) -> Response:
    """Take a run up again after a stop or an end of its driver."""

    def resumed(at: AtDesk) -> str:
        found = _read(at, engagement)
        assessments.thaw(at, found, given.reason)
        return found.on.id

    return _taken(calls, body, engagement, resumed)


@ROUTES.post(
    RUN + "/retries",
    tags=["engagements"],
    status_code=202,
    response_model=RunOut,
    openapi_extra=keyed(),
)
def retry(engagement: str, given: RetryIn, calls: Calls, body: Body) -> Response:
    """Have an attempt that was lost made once more; no decision rests on it."""

    def retried(at: AtDesk) -> str:
        found = _read(at, engagement)
        assessments.retry(at, found, given.subject, given.item, given.epoch, given.reason)
        return found.on.id

    return _taken(calls, body, engagement, retried)


def _taken(calls: Calls, body: bytes, engagement: str, do: Callable[[AtDesk], str]) -> Response:
    """That it was taken in, once; how far it is, GET tells."""

    def done(at: AtDesk) -> Response:
        return Response(RUN_OUT.dump(RunOut(engagement=do(at))), 202, media_type=JSON)

    return calls.once(body, PREFIX + RUN.format(engagement=engagement), done)


def _read(at: AtDesk, engagement_id: str) -> Read:
    """The assessment of an engagement.

    Raises: NotFound, also where none is planned; Denied.
    """
    found = assessed.read(at.ctx, assessed.readable(at.ctx, at.library, engagement_id))
    if found is None:
        raise NotFound("no assessment is planned here yet")
    return found
