"""The warden ends what it holds when ordered to, and admits nothing afterwards."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from leadline.sandbox import ward as wards
from leadline.sandbox.survey import own_mode
from leadline.sandbox.ward import NoWardenError, Ward, Warded
from leadline.sandbox.watchdog import tree

SLEEPER = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"
# In a network namespace of its own: a pair of links, up, and their route socket handed over.
NETWORK = """
import socket, subprocess, sys
there = socket.socket(fileno=int(sys.argv[1]))
ip = lambda *words: subprocess.run(["ip", *words], check=True)
ip("link", "add", "left0", "type", "veth", "peer", "name", "right0")
ip("link", "set", "left0", "up"), ip("link", "set", "right0", "up")
route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
numbers = ",".join(str(socket.if_nametoindex(name)) for name in ("left0", "right0"))
socket.send_fds(there, [numbers.encode()], [route.fileno()])
there.recv(1)
shown = subprocess.run(["ip", "-o", "link", "show", "up"], capture_output=True, text=True)
there.send(shown.stdout.encode() or b"none")
"""


@contextmanager
def sleeping() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that ends by force only."""
    process = subprocess.Popen([sys.executable, "-S", "-c", SLEEPER])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with a name longer than a socket's may be."""
    long = tmp_path / ("long" * 30)
    long.mkdir()
    return long


@pytest.fixture
def warded(folder: Path) -> Iterator[Warded]:
    """A warden at work, with its starter's uid, so that its coverage can be written."""
    with Warded.start(folder, dead_man=30, own_uid=False) as made:
        yield made


def journal(folder: Path) -> list[dict[str, object]]:
    """What the warden wrote down."""
    return [json.loads(line) for line in (folder / wards.JOURNAL).read_text().splitlines()]


def soon(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Return once it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_an_order_ends_everything_held(folder: Path, warded: Warded) -> None:
    """Processes that ignore signals are gone within two seconds, and the journal says who ordered."""
    with sleeping() as one, sleeping() as two, Ward(folder, "worker") as worker:
        worker.hold("a", [one.pid])
        worker.hold("b", [two.pid])
        assert one.poll() is None
        with Ward(folder, "visitor") as person:
            ended = person.order("person", "p-1", "it scans the network")
        assert one.wait(1) == two.wait(1) == -signal.SIGKILL
    assert (ended["by"], ended["who"], ended["cause"]) == (
        "person",
        "p-1",
        "it scans the network",
    )
    assert ended["processes"] == 2
    assert ended["left"] == 0
    assert isinstance(ended["gone_s"], float)
    assert ended["gone_s"] <= 2
    assert ended["key"] == "no broker named"
    assert warded.ward.ended() == ended
    assert [line["event"] for line in journal(folder)] == ["started", "ended"]


def test_after_an_order_nothing_is_admitted(folder: Path, warded: Warded) -> None:
    """A box that starts later is refused with the cause; a second order changes nothing."""
    with Ward(folder, "worker") as worker:
        first = warded.ward.order("alarm", "decoy", "a decoy was used")
        with sleeping() as late:
            with pytest.raises(NoWardenError, match="a decoy was used"):
                worker.hold("late", [late.pid])
            assert late.poll() is None
        assert warded.ward.order("person", "p-1", "again") == first


def test_a_box_that_ended_by_itself_is_let_go(folder: Path, warded: Warded) -> None:
    """The warden holds nothing of it any longer, and an order has nothing to end."""
    with Ward(folder, "worker") as worker:
        with sleeping() as one:
            worker.hold("a", [one.pid])
        time.sleep(0.1)
        with pytest.raises(NoWardenError, match="ended before"):
            worker.hold("a", [one.pid])
        assert warded.ward.order("person", "p-1", "why not")["processes"] == 0


def test_a_worker_that_is_gone_leaves_no_box(folder: Path, warded: Warded) -> None:
    """Its connection closes, and what it had handed over is ended; the run goes on."""
    with sleeping() as one:
        with Ward(folder, "worker") as worker:
            worker.hold("a", [one.pid])
        assert one.wait(60) == -signal.SIGKILL
    assert warded.ward.ended() is None


def test_whatever_a_worker_started_is_swept_up(folder: Path, warded: Warded) -> None:
    """A process that no one handed over ends too, when its worker is known."""
    text = (
        "import subprocess, sys, time\n"
        "from pathlib import Path\n"
        "from leadline.sandbox.ward import Ward\n"
        "ward = Ward(Path(sys.argv[1]), 'worker')\n"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', {SLEEPER!r}])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    argv = [sys.executable, "-c", text, str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stdout
            child = os.pidfd_open(int(worker.stdout.readline()))
            worker.send_signal(signal.SIGSTOP)
            ended = warded.ward.order("person", "p-1", "stop")
            assert ended["processes"] == 1
            assert ended["left"] == 0
            os.close(child)
        finally:
            worker.kill()


def test_the_driver_s_end_is_the_run_s_end(folder: Path) -> None:
    """With sandboxes left they are ended and the warden goes; without, it only goes."""
    for left in (True, False):
        warded = Warded.start(folder, own_uid=False)
        with ExitStack() as stack:
            one = stack.enter_context(sleeping())
            worker = stack.enter_context(Ward(folder, "worker"))
            if left:
                worker.hold("a", [one.pid])
            warded.ward.close()
            warded.process.communicate(timeout=60)
            assert warded.process.returncode == 0
            assert (one.poll() is not None) is left
    events = [(line["event"], line.get("cause")) for line in journal(folder)]
    assert events == [
        ("started", None),
        ("ended", "the driver is gone"),
        ("released", None),
        ("started", None),
        ("driver ended", None),
        ("released", None),
    ]


STARTER = """
import sys, time
from pathlib import Path
from leadline.sandbox import ward
def cut(*_):
    print("started", flush=True)
    time.sleep(600)
ward.Ward = cut
ward.Warded.start(Path(sys.argv[1]), own_uid=False)
"""


# A worker in a process of its own: what a worker has started ends with the run, and the suite's own
# process has started servers that other tests need. It hands over the process it is told of, then
# starts a driver and kills it: so the warden is below a worker for as long as the kernel takes.
WORKER = """
import subprocess, sys
from pathlib import Path
from leadline.sandbox.ward import Ward
starter = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdout=subprocess.PIPE)
starter.stdout.readline()
if sys.argv[3]:
    worker = Ward(Path(sys.argv[2]), "worker")
    worker.hold("a", [int(sys.argv[3])])
[warden] = Path(f"/proc/{starter.pid}/task/{starter.pid}/children").read_text().split()
print(warden, flush=True)
sys.stdin.readline()
starter.kill()
sys.stdin.readline()
"""


def test_a_driver_killed_before_it_spoke_leaves_no_warden(folder: Path) -> None:
    """Its end of a pipe tells; a box that a worker had handed over by then ends as well."""
    for left in (True, False):
        with sleeping() as one, ExitStack() as stack:
            told = str(one.pid) if left else ""
            words = [sys.executable, "-c", WORKER, STARTER, str(folder), told]
            pipe = subprocess.PIPE
            worker = stack.enter_context(
                subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True)
            )
            stack.callback(worker.kill)
            assert worker.stdin is not None
            assert worker.stdout is not None
            watched = os.pidfd_open(int(worker.stdout.readline()))
            stack.callback(os.close, watched)
            worker.stdin.write("now\n")
            worker.stdin.flush()
            assert select.select([watched], [], [], 60)[0], "the warden lives on"
            assert (one.poll() is not None) is left, journal(folder)
    assert [line["event"] for line in journal(folder)] == [
        *("started", "ended", "driver ended", "released"),
        *("started", "driver ended", "released"),
    ]


@pytest.mark.parametrize("silent", ["driver", "store"])
def test_silence_is_an_order(folder: Path, silent: str) -> None:
    """Without a heartbeat of either, however the other beats, the run is ended."""
    with Warded.start(folder, dead_man=1.5, own_uid=False) as warded, sleeping() as one:
        warded.ward.hold("a", [one.pid])
        begun = time.monotonic()
        while one.poll() is None:
            assert time.monotonic() < begun + 60
            warded.ward.beat("store" if silent == "driver" else "driver")
            time.sleep(0.05)
        assert time.monotonic() - begun >= 1.4
        ended = warded.ward.ended()
    assert ended
    assert ended["by"] == "dead-man"
    assert str(ended["cause"]).startswith(f"no heartbeat of the {silent} for")


def test_heartbeats_keep_a_run_going(folder: Path) -> None:
    """As long as both beat, nothing is ended."""
    with Warded.start(folder, dead_man=1.5, own_uid=False) as warded, sleeping() as one:
        warded.ward.hold("a", [one.pid])
        for _ in range(40):
            warded.ward.beat("driver")
            warded.ward.beat("store")
            time.sleep(0.05)
        assert warded.ward.ended() is None
        assert one.poll() is None


def test_a_file_is_an_order(folder: Path, warded: Warded) -> None:
    """Who has no line to the warden makes a file; it holds for the next warden of the run too."""
    with sleeping() as one:
        warded.ward.hold("a", [one.pid])
        (folder / "orders" / "stop").touch()
        assert one.wait(60) == -signal.SIGKILL
    soon(lambda: warded.ward.ended() is not None)
    warded.close()
    with Warded.start(folder, own_uid=False) as again:
        soon(lambda: again.ward.ended() is not None)


def test_who_watches_is_told(folder: Path, warded: Warded) -> None:
    """A worker hears of the end by itself, early or late; and of a warden that went."""
    told: list[str] = []
    threads = [wards.watch(folder, told.append)]
    warded.ward.order("person", "p-1", "enough")
    threads.append(wards.watch(folder, told.append))
    for thread in threads:
        thread.join(60)
    assert told == ["enough", "enough"]


def test_a_dead_warden_admits_nothing(folder: Path) -> None:
    """Killed, it kills nothing; every later box is refused, and who watches is told."""
    told: list[str] = []
    with (
        Warded.start(folder, own_uid=False) as warded,
        sleeping() as one,
        Ward(folder, "worker") as worker,
    ):
        worker.hold("a", [one.pid])
        thread = wards.watch(folder, told.append)
        warded.process.kill()
        warded.process.wait()
        thread.join(60)
        with pytest.raises(NoWardenError, match="is gone"):
            worker.hold("b", [one.pid])
        with pytest.raises(NoWardenError, match="is gone"):
            worker.beat("driver")
        with pytest.raises(NoWardenError, match="no warden answers"):
            Ward(folder, "worker")
        assert one.poll() is None
    assert len(told) == 1
    assert told[0].startswith("the run's warden is gone")
    (lost,) = (line for line in journal(folder) if line["event"] == "not released")
    assert str(lost["why"]).startswith("the run's warden is gone")
    assert lost["status"] == -signal.SIGKILL


def test_a_watch_that_breaks_off_says_how(folder: Path) -> None:
    """A warden that went with the question unread: who watches is told the cause of the break."""
    told: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        with wards._named(folder) as name:
            listener.bind(name)
        listener.listen(1)
        thread = wards.watch(folder, told.append)
        line, _ = listener.accept()
        select.select([line], [], [])
        line.close()
        thread.join(60)
    assert told == ["the run's warden is gone: Connection reset by peer"]


def test_who_does_not_listen_is_named(folder: Path, warded: Warded) -> None:
    """A line that takes no more answers, or is gone: the journal says to whom what was not told."""
    with Ward(folder, "visitor") as deaf:
        for _ in range(1000):
            deaf._line.send(b'{"op": "status"}')
        soon(lambda: any(line["event"] == "not told" for line in journal(folder)))
    (first, *_) = (line for line in journal(folder) if line["event"] == "not told")
    assert first["pid"] == os.getpid()
    assert first["why"] == "Resource temporarily unavailable"
    assert warded.ward.ended() is None


def test_a_stopped_warden_admits_nothing(folder: Path, warded: Warded) -> None:
    """It does not answer in time, and that is a refusal."""
    with Ward(folder, "worker", 1) as worker, sleeping() as one:
        warded.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(NoWardenError, match="does not answer"):
                worker.hold("a", [one.pid])
        finally:
            warded.process.send_signal(signal.SIGCONT)


@pytest.mark.skipif(own_mode() != "root", reason="only root gives the warden a uid of its own")
def test_it_has_a_uid_of_its_own_and_two_capabilities(folder: Path) -> None:
    """Root's other powers are gone; those two are enough to end another user's processes."""
    with Warded.start(folder) as warded, sleeping() as one, Ward(folder, "worker") as worker:
        status = Path(f"/proc/{warded.process.pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert set(fields["Uid"].split()) == {str(wards.WARDEN_UID)}
        assert int(fields["CapEff"], 16) == 1 << 5 | 1 << 12
        assert fields["Groups"].strip() == ""
        worker.hold("a", [one.pid])
        ended = warded.ward.order("person", "p-1", "stop")
        assert one.poll() == -signal.SIGKILL
        assert ended["left"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root")
def test_links_go_down_first(folder: Path) -> None:
    """Every interface handed over is down, in its own network, within a second."""
    here, there = socket.socketpair()
    argv = ["unshare", "--net", sys.executable, "-S", "-c", NETWORK, str(there.fileno())]
    with subprocess.Popen(argv, pass_fds=[there.fileno()]), here, there:
        numbers, fds, _, _ = socket.recv_fds(here, 100, 1)
        with (
            Warded.start(folder) as warded,
            socket.socket(fileno=fds[0]) as route,
            Ward(folder, "visitor") as worker,
        ):
            worker.link("segment", route, [int(number) for number in numbers.split(b",")])
            ended = warded.ward.order("person", "p-1", "stop")
        here.send(b"?")
        shown = here.recv(4096).decode()
    assert ended["links"] == ended["links_down"] == 2
    assert ended["links_refused"] == ""
    assert isinstance(ended["links_s"], float)
    assert ended["links_s"] <= 1
    assert "left0" not in shown
    assert "right0" not in shown


@pytest.mark.parametrize("gone", [False, True], ids=["ordered", "the worker goes"])
def test_a_link_that_stays_up_is_told(folder: Path, warded: Warded, *, gone: bool) -> None:
    """With the kernel's reason, whoever asked."""
    with (
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as route,
        ExitStack() as worker,
    ):
        line = worker.enter_context(Ward(folder, "worker"))
        line.link("segment", route, [2**31 - 1, 2**31 - 2])
        if gone:
            worker.close()
            soon(lambda: journal(folder)[-1]["event"] == "links left up")
            why = journal(folder)[-1]["why"]
        else:
            ended = warded.ward.order("person", "p-1", "stop")
            assert (ended["links"], ended["links_down"]) == (2, 0)
            why = ended["links_refused"]
    assert why in {"No such device (2)", "Operation not permitted (2)"}


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("import pathlib, sys; pathlib.Path(sys.argv[1]).touch()", "revoked"),
        ("raise SystemExit(3)", "not revoked: status 3"),
    ],
)
def test_the_key_is_revoked_afterwards(folder: Path, script: str, told: str) -> None:
    """The command is run as the run's user once the sandboxes are gone; its failure is told."""
    revoked = folder / "revoked"
    argv = (sys.executable, "-S", "-c", script, str(revoked))
    with Warded.start(folder, revoke=argv, own_uid=False) as warded:
        ended = warded.ward.order("person", "p-1", "stop")
    assert ended["key"] == told
    assert isinstance(ended["key_s"], float)
    assert revoked.exists() is (told == "revoked")


def test_a_command_that_is_not_there_is_told(folder: Path) -> None:
    """Revoking never raises: what it cannot do, the record says."""
    with Warded.start(folder, revoke=("/no/such/program",), own_uid=False) as warded:
        assert warded.ward.order("person", "p", "stop")["key"] == "not revoked: FileNotFoundError"


def test_a_revoker_that_is_gone_is_told(folder: Path) -> None:
    """Nobody is left to be told to revoke; the record says that instead of waiting."""
    with Warded.start(folder, revoke=("true",), own_uid=False) as warded:
        (revoker,) = set(tree(warded.process.pid)) - {warded.process.pid}
        gone = os.pidfd_open(revoker)
        os.kill(revoker, signal.SIGKILL)
        select.select([gone], [], [])
        os.close(gone)
        ended = warded.ward.order("person", "p-1", "stop")
    assert ended["key"] == "not revoked: the revoker is gone: Broken pipe"


@pytest.mark.parametrize(
    "packet",
    [
        b"no json",
        b"[]",
        b'{"op": "dance"}',
        b'{"op": "order", "by": "model", "who": "", "cause": ""}',
    ],
)
def test_what_it_does_not_understand_ends_nothing(
    folder: Path, warded: Warded, packet: bytes
) -> None:
    """It answers so, and goes on; a descriptor that came along is not kept."""
    with Ward(folder, "visitor") as visitor:
        visitor._line.send(packet)
        answer = json.loads(visitor._line.recv(4096))
    assert not answer["ok"]
    assert answer["why"].startswith("not understood")
    assert warded.ward.ended() is None


def test_only_the_driver_releases(folder: Path, warded: Warded) -> None:
    """A visitor's word does not end the warden, and a box without descriptors is none."""
    with Ward(folder, "visitor") as visitor:
        with pytest.raises(NoWardenError, match="only the driver"):
            visitor.release()
        with pytest.raises(NoWardenError, match="no descriptor"):
            visitor.hold("a", [])
    assert warded.process.poll() is None


def test_a_warden_that_does_not_come_up_is_told(folder: Path) -> None:
    """A folder that is not there names no run."""
    with pytest.raises(FileNotFoundError):
        Warded.start(folder / "absent")


def test_many_threads_share_a_line(folder: Path, warded: Warded) -> None:
    """Answers are never mixed up."""
    with ExitStack() as stack, Ward(folder, "worker") as worker:
        some = [stack.enter_context(sleeping()) for _ in range(4)]
        threads = [
            threading.Thread(target=worker.hold, args=(str(n), [one.pid]))
            for n, one in enumerate(some)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert warded.ward.order("person", "p-1", "stop")["processes"] == 4
