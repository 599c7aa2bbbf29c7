"""A file that was taken in, as the API tells of it; and a disk that takes nothing in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from leadline.client.shape import Adapter
from leadline.core.errors import Unavailable
from leadline.core.intake import Taken
from leadline.http.api.wire import Wire


class TakenOut(Wire):
    """A file that was taken in, and what it was found to be. *id* is the artefact's."""

    id: str
    engagement: str
    digest: str
    bytes: int
    purpose: str
    name: str
    content: str
    received: datetime


TAKEN = Adapter(TakenOut)


def out(made: Taken) -> TakenOut:
    """What is told of it."""
    return TakenOut(
        id=made.id,
        engagement=made.engagement,
        digest=made.digest,
        bytes=made.bytes,
        purpose=made.purpose.value,
        name=made.name,
        content=made.judged.content.value,
        received=made.received_at,
    )


@contextmanager
def kept_here() -> Iterator[None]:
    """Raises: Unavailable, where this machine cannot keep what comes."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"what comes cannot be kept here: {error.strerror}") from error
