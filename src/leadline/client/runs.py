"""Runs that a server drives, ended and looked at from a terminal elsewhere."""

from collections.abc import Mapping, Sequence
from json import dumps

from leadline.app import assessed
from leadline.client.remote import Remote, at_server
from leadline.core.assessment import ShardResult
from leadline.core.errors import NotFound, Unavailable
from leadline.core.record.act import Kind, Value


def _asked(remote: Remote, engagement: str, what: str, reason: str) -> None:
    path = f"/engagements/{engagement}/assessment/{what}"
    remote.send("POST", path, dumps({"reason": reason}).encode())


def _progress(remote: Remote, engagement: str) -> assessed.Progress:
    """Raises: NotFound, where none is planned."""
    found = remote.call(assessed.progress, at_server(engagement))
    if found is None:
        raise NotFound(f"no assessment of {engagement} is planned yet")
    return found


def kill(remote: Remote, engagement: str, reason: str) -> Mapping[str, Value]:
    """End every sandbox of a run now; answers what its warden did, as the record has it.

    Raises: Unavailable, where no warden answered there: the run is frozen all the same.
    """
    _asked(remote, engagement, "stops", reason)
    acts = _progress(remote, engagement).acts
    done = [act for act in acts if act.kind is Kind.RUN_STOPPED][-1].detail
    if "gone_s" not in done:
        raise Unavailable(
            "no warden answered there; the run is frozen until somebody lets it go on"
        )
    return done


def thaw(remote: Remote, engagement: str, reason: str) -> None:
    """Let a run that was stopped go on."""
    _asked(remote, engagement, "resumptions", reason)


def results(remote: Remote, engagement: str) -> Sequence[ShardResult]:
    """What was sealed of a run so far."""
    return _progress(remote, engagement).results
