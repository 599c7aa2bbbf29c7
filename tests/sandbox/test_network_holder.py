"""The holder of a private network, as a process that is given one order after another."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.sandbox import holder
from leadline.sandbox.network import spaces
from leadline.sandbox.survey import own_mode
from sandbox.networks import THREE_HOSTS

pytestmark = pytest.mark.sandbox


def ordered(**changed: object) -> tuple[dict[str, object], list[int], int]:
    """What a holder answers to the order of three hosts, with parts of it *changed*; and its end."""
    order = {
        "ip": shutil.which("ip", path="/usr/sbin:/usr/bin:/sbin:/bin"),
        "user": own_mode() == "user",
        "spaces": {
            name: {"lines": space.lines, "settings": dict(space.settings)}
            for name, space in spaces(THREE_HOSTS).items()
        },
        **changed,
    }
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    process = subprocess.Popen(
        [sys.executable, holder.__file__, str(theirs.fileno())], pass_fds=(theirs.fileno(),)
    )
    theirs.close()
    ours.settimeout(20)
    ours.sendall(json.dumps(order).encode() + b"\n")
    data, fds, _, _ = socket.recv_fds(ours, 1 << 16, 64)
    told = json.loads(data)
    if "error" not in told:
        assert process.poll() is None
    ours.close()
    return told, fds, process.wait(10)


def test_a_holder_hands_every_namespace_over_and_ends_with_its_socket() -> None:
    """One descriptor a name; the namespaces are distinct; the process ends once its socket closes."""
    told, fds, status = ordered()
    names = told["names"]
    assert isinstance(names, list)
    assert set(names) - {"user namespace"} == {"", "default", "router", "far"}
    assert len({os.fstat(fd).st_ino for fd in fds}) == len(names)
    assert Path("/proc/self/ns/net").stat().st_ino not in {os.fstat(fd).st_ino for fd in fds}
    for fd in fds:
        os.close(fd)
    assert status == 0


def test_a_holder_says_what_went_wrong_and_ends() -> None:
    """A line that `ip` refuses, and a setting that does not exist, are told; nothing is handed over."""
    line, fds, status = ordered(
        spaces={"": {"lines": ["link add x type nonsense"], "settings": {}}}
    )
    assert str(line["error"]).startswith("ip: ")
    assert (fds, status) == ([], 0)
    setting, fds, _ = ordered(spaces={"": {"lines": [], "settings": {"ipv4/nonsense": "1"}}})
    assert "No such file" in str(setting["error"]) or "ermission" in str(setting["error"])
    assert fds == []


def test_what_the_c_library_refuses_is_an_error() -> None:
    """A result other than zero is raised with what was being done."""
    holder.check(0, "nothing")
    with pytest.raises(OSError, match="enter a place"):
        holder.check(-1, "enter a place")


def test_the_holder_stands_on_the_standard_library_alone() -> None:
    """It is run without site packages, so it imports nothing of ours or others'."""
    text = Path(holder.__file__).read_text()
    assert "leadline" not in text.replace("network.Wires", "")
