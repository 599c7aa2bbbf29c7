"""The holder of one private network: makes its namespaces, hands them over and keeps the bridges.

Run by `network.Wires` as ``python -I -S -c THIS FD``, on the standard library alone. FD is a
stream socket: one line of JSON comes in, ``{"ip", "user", "spaces": {name: {"lines", "settings"}}}``;
one message goes out, ``{"names": [...]}`` with a descriptor for each, or ``{"error": "..."}``. Then
the holder waits in the namespace of the bridges, whose name is empty, until its socket closes or the
process that started it is gone.
"""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

NEW_USER, NEW_NET = 0x10000000, 0x40000000
ORDER_BYTES_MAX = 1 << 24


class Space(TypedDict):
    """What is done in one namespace: lines of ``ip -batch``, settings below /proc/sys/net."""

    lines: list[str]
    settings: dict[str, str]


class Order(TypedDict):
    """The one order: the program `ip`, whether a user namespace is needed, and every namespace."""

    ip: str
    user: bool
    spaces: dict[str, Space]


def check(result: int, doing: str) -> None:
    """Raise what the C library reported."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{doing}: {os.strerror(number)}")


def own_users(libc: ctypes.CDLL) -> int:
    """Enter a user namespace in which this user is root over the networks made later."""
    uid, gid = os.getuid(), os.getgid()
    check(libc.unshare(NEW_USER), "user namespace")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    return os.open("/proc/self/ns/user", os.O_RDONLY)


def lay_out(libc: ctypes.CDLL, order: Order, nets: dict[str, int]) -> None:
    """Set every namespace up as told, in the order given; settings first, for they shape links."""
    for name, space in order["spaces"].items():
        check(libc.setns(nets[name], NEW_NET), "enter a network namespace")
        for setting, value in space["settings"].items():
            path = Path("/proc/sys/net", setting)
            if path.exists() or not setting.startswith(
                "ipv6/"
            ):  # a kernel may lack IPv6 altogether
                path.write_text(value, encoding="ascii")
    for name, space in order["spaces"].items():
        check(libc.setns(nets[name], NEW_NET), "enter a network namespace")
        lines = "\n".join(space["lines"])
        for host, fd in nets.items():
            lines = lines.replace(f"{{{host}}}", f"/proc/self/fd/{fd}") if host else lines
        done = subprocess.run(
            [order["ip"], "-batch", "-"],
            input=lines + "\n",
            text=True,
            capture_output=True,
            pass_fds=tuple(nets.values()),
            check=False,
        )
        if done.returncode:
            raise OSError(0, f"ip: {done.stderr.strip()}")


def hold(order: Order) -> dict[str, int]:
    """Every namespace by its name, made and set up; ends in that of the bridges."""
    libc = ctypes.CDLL(None, use_errno=True)
    held: dict[str, int] = {}
    if order["user"]:
        held["user namespace"] = own_users(libc)
    nets: dict[str, int] = {}
    for name in order["spaces"]:
        check(libc.unshare(NEW_NET), "network namespace")
        nets[name] = os.open("/proc/self/ns/net", os.O_RDONLY)
    lay_out(libc, order, nets)
    check(libc.setns(nets[""], NEW_NET), "enter the bridges' namespace")
    return held | nets


def main(fd: int, parent: int) -> None:
    """Do one order and wait for its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver ends its networks in order
    with socket.socket(fileno=fd) as control, control.makefile("rb") as orders:
        parent_fd = os.pidfd_open(parent)
        try:
            held = hold(json.loads(orders.readline(ORDER_BYTES_MAX)))
        except OSError as error:
            control.sendall(json.dumps({"error": error.strerror or str(error)}).encode())
            return
        socket.send_fds(control, [json.dumps({"names": list(held)}).encode()], list(held.values()))
        for name, one in held.items():
            if name:
                os.close(one)  # whoever was given them decides how long the others last
        select.select([control.fileno(), parent_fd], [], [])


if __name__ == "__main__":
    main(int(sys.argv[1]), os.getppid())
