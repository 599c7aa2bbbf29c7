"""A run under its warden: the driver's heartbeat, and what a worker does when the run is ended.

The warden's socket in the run's private folder is the whole agreement: where one is, no box starts
unless that warden answers, in whatever process.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leadline.core.assessment import OutOfScope
from leadline.core.errors import Refused, Unavailable
from leadline.sandbox import ward as wards
from leadline.sandbox.ward import ADMISSION, NoWardenError, Ward, Warded

BEAT_SECONDS = 1.0


@dataclass
class Guard:
    """The driver's side. *store* asks something of the store that only a store at work answers.

    While the driver's loop runs it beats by `alive`, and by nothing else: a loop that hangs is silent.
    Before its first turn and after `rest`, while workers are started, ended or a replay is made, a
    thread beats for it.
    """

    folder: Path
    store: Callable[[], object]
    dead_man: float = wards.DEAD_MAN_SECONDS
    revoke: Sequence[str] = ()
    own_uid: bool = True
    beat_seconds: float = BEAT_SECONDS
    _warded: Warded | None = None
    _looping: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _beats: threading.Thread | None = None
    _lost: str = ""  # why no heartbeat reaches the warden any more
    _unserved: str = ""  # what the store last said instead of serving

    def start(self) -> None:
        """Start the warden; boxes of this process are handed to it too.

        Raises: Unavailable, if it does not come up: then nothing may run.
        """
        try:
            self._warded = Warded.start(
                self.folder, dead_man=self.dead_man, revoke=self.revoke, own_uid=self.own_uid
            )
        except NoWardenError as error:
            raise Unavailable(f"the run has no kill switch: {error}") from error
        ADMISSION.ward = self._warded.ward
        self._stop.clear()
        self._looping = False
        self._lost = self._unserved = ""
        self._beats = threading.Thread(target=self._beat, daemon=True)
        self._beats.start()

    def _beat(self) -> None:
        warded = self._warded
        assert warded is not None  # noqa: S101 -- started above
        try:
            while not self._stop.wait(self.beat_seconds):
                if not self._looping:
                    warded.ward.beat("driver")
                self._beat_for_store(warded.ward)
        except NoWardenError as error:
            self._lost = str(error)

    def _beat_for_store(self, ward: Ward) -> None:
        """A store that cannot serve gives no heartbeat; what it said is told if the run ends."""
        try:
            self.store()
        except Unavailable as error:
            self._unserved = str(error)
        else:
            self._unserved = ""
            ward.beat("store")

    def alive(self) -> None:
        """Tell that the driver is at work, and return while its run goes on.

        Raises: Refused, with who ended the run and why; Unavailable, if the warden is gone.
        """
        if self._warded is None:
            return
        if self._lost:
            raise Unavailable(f"the run stops: {self._lost}")
        self._looping = True
        try:
            self._warded.ward.beat("driver")
            ended = self._warded.ward.ended()
        except NoWardenError as error:
            raise Unavailable(f"the run stops: {error}") from error
        if ended is not None:
            store = f"; the store does not serve: {self._unserved}" if self._unserved else ""
            raise Refused(words(ended) + store)

    def rest(self) -> None:
        """The loop has ended; what follows may take long, and is no silence."""
        self._looping = False

    def stop(self) -> None:
        """End the warden in order; a second call does nothing."""
        if self._warded is None:
            return
        self._stop.set()
        ADMISSION.ward = None
        self._warded.close()
        self._warded = None
        if self._beats is not None:
            self._beats.join(BEAT_SECONDS)


def words(ended: Mapping[str, object]) -> str:
    """What ended a run, as people read it."""
    return (
        f"the run was ended ({ended['by']}, {ended['who']}): {ended['cause']}; "
        f"{ended['processes']} processes gone in {ended['gone_s']} s, {ended['left']} left"
    )


@dataclass
class Joined:
    """A worker's side: whether the run goes on."""

    cause: str = ""

    def check(self) -> None:
        """Return while the run goes on.

        Raises: KeyboardInterrupt, once it was ended: what the work found is not counted.
        """
        if self.cause:
            raise KeyboardInterrupt(self.cause)

    def alarm(self, stop_on: Sequence[str]) -> Callable[[str, OutOfScope], None]:
        """What follows an alarm: one of a source in *stop_on* ends the run, where it has a warden."""

        def heed(item: str, entry: OutOfScope) -> None:
            if entry.source in stop_on and ADMISSION.ward is not None:
                ADMISSION.ward.order("alarm", entry.source, f"{entry.rule}, in sample {item}")

        return heed


def join(folder: Path) -> Joined:
    """Put this process under the warden of the run in *folder*, if it has one.

    From then on every box is handed over first, and the end of the run interrupts the process.

    Raises: Unavailable, if the run has a warden and it does not answer.
    """
    joined = Joined()
    if not (folder / wards.SOCKET).exists():
        return joined

    def ended(cause: str) -> None:
        joined.cause = cause
        os.kill(os.getpid(), signal.SIGINT)

    try:
        ADMISSION.ward = Ward(folder, "worker")
        wards.watch(folder, ended)
    except NoWardenError as error:
        raise Unavailable(str(error)) from error
    return joined
