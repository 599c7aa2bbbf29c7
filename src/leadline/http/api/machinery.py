"""The machinery of an installation for those who look after it: jobs, backups, keys, what this machine can do.

No content is among it, and no place of a private key.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fastapi import APIRouter, Response

from leadline import settings
from leadline.app import machinery
from leadline.client.shape import Adapter
from leadline.client.uses import PREFIX
from leadline.core.errors import NotFound
from leadline.http.api import contract
from leadline.http.api.counted import JSON, Body, Calls
from leadline.http.api.wire import Short, Wire
from leadline.wiring import administration, assess, people
from leadline.wiring.desk import AtDesk
from leadline.wiring.home import origin

ROUTES = APIRouter()
TAG = "machinery"


class JobOut(Wire):
    """An assessment's shards by state. *errors* are the last words of those that did not finish."""

    id: str
    shards: Mapping[str, int]
    done: int
    total: int
    errors: Sequence[str]


class DoneOut(Wire):
    """What a job of the installation's own last came to."""

    name: str
    at: datetime
    told: str
    good: bool


class JobsOut(Wire):
    """What is at work, and what the installation does by itself."""

    assessments: Sequence[JobOut]
    own: Sequence[DoneOut]


class BackupOut(Wire):
    """A backup beside the installation; *checked* is None until it was."""

    name: str
    checked: datetime | None
    told: str


class KeysOut(Wire):
    """The public keys of the log, its name, and the digest of the access rules."""

    vkeys: Sequence[str]
    origin: str
    rules: str


class WhyOut(Wire):
    """What the rules say to a person, an action and a thing, and what would change it."""

    principal: str
    action: str
    resource: str
    allowed: bool
    reason: str
    rules: Mapping[str, str]
    roles: Sequence[str]
    changes: Sequence[Sequence[str]]


JOBS, KEYS, WHY = Adapter(JobsOut), Adapter(KeysOut), Adapter(WhyOut)
BACKUP, BACKUPS, MACHINE = Adapter(BackupOut), Adapter(list[BackupOut]), Adapter(list[assess.Check])


@ROUTES.get("/jobs", tags=[TAG], response_model=JobsOut)
def jobs(calls: Calls) -> Response:
    """How far assessments are, and what the installation's own jobs last came to."""
    at = calls.at
    found = [
        JobOut(id=one.id, shards=one.counts, done=one.done, total=one.total, errors=one.errors)
        for one in administration.jobs(at.ctx, at.home)
    ]
    own = [
        DoneOut(name=one.name, at=one.at, told=one.told, good=one.good)
        for one in administration.by_itself(at.ctx, at.home)
    ]
    return calls.told(JOBS, JobsOut(assessments=found, own=own))


@ROUTES.get("/installation/keys", tags=[TAG], response_model=KeysOut)
def keys(calls: Calls) -> Response:
    """What the installation signs its log with, by the public halves."""
    at = calls.at
    found = administration.keys(at.ctx, at.parts, at.home, origin(at.home))
    return calls.told(KEYS, KeysOut(vkeys=found.vkeys, origin=found.origin, rules=found.rules))


@ROUTES.get("/installation/machine", tags=[TAG], response_model=list[assess.Check])
def machine(calls: Calls) -> Response:
    """What this machine can do, and the cure where it cannot."""
    machinery.look(calls.at.ctx)
    found = administration.accounts(calls.at.parts) + assess.diagnose(settings.load())
    return calls.told(MACHINE, list(found))


@ROUTES.get("/why", tags=["people"], response_model=WhyOut)
def why(calls: Calls, person: Short, action: Short, thing: Short) -> Response:
    """Why a person may or may not do something, on what grounds; *thing* is KIND/ID."""
    at = calls.at
    answer = people.why(at.parts, at.ctx, person, action, thing)
    found = answer.explanation
    told = WhyOut(
        principal=answer.principal,
        action=answer.action,
        resource=answer.resource,
        allowed=found.decision.allowed,
        reason=found.decision.reason,
        rules=found.reasons,
        roles=found.roles,
        changes=found.changes,
    )
    return calls.told(WHY, told)


@ROUTES.get("/backups", tags=["backups"], response_model=list[BackupOut])
def backups(calls: Calls) -> Response:
    """The backups that were made beside the installation, the latest first, each with its last check."""
    at = calls.at
    return calls.told(BACKUPS, [_backup(one) for one in administration.backups(at.ctx, at.home)])


@ROUTES.post(
    "/backups",
    tags=["backups"],
    status_code=201,
    response_model=BackupOut,
    openapi_extra=contract.keyed(),
)
def make_backup(calls: Calls, body: Body) -> Response:
    """Write a backup beside the installation; check it next, and copy it to another place."""

    def made(at: AtDesk) -> Response:
        name = administration.make_backup(at.ctx, at.parts, at.home)
        return Response(BACKUP.dump(_named(at, name)), 201, media_type=JSON)

    return calls.once(body, f"{PREFIX}/backups", made)


@ROUTES.post(
    "/backups/{backup}/checks",
    tags=["backups"],
    response_model=BackupOut,
    openapi_extra=contract.keyed(),
)
def check_backup(calls: Calls, body: Body, backup: str) -> Response:
    """Check one backup, byte for byte; what it came to stands in the record."""

    def checked(at: AtDesk) -> Response:
        administration.check(at.ctx, at.home, backup)
        return Response(BACKUP.dump(_named(at, backup)), media_type=JSON)

    return calls.once(body, f"{PREFIX}/backups", checked)


def _named(at: AtDesk, name: str) -> BackupOut:
    """Raises: NotFound."""
    for one in administration.backups(at.ctx, at.home):
        if one.name == name:
            return _backup(one)
    raise NotFound(f"no backup {name}")


def _backup(one: administration.Kept) -> BackupOut:
    return BackupOut(name=one.name, checked=one.checked, told=one.told)
