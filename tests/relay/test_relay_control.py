"""Revocation on open streams, restarts, tampering, bound credentials, kept bodies, the command line."""

import asyncio
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner, Result

from identity.authority import CLIENT, SERVER, Authority
from identity.prover import Prover
from leadline.app.relay_commitments import read
from leadline.cli import relay as relay_noun
from leadline.core.errors import Invalid, NotFound, Refused, Tampered
from leadline.identity.dpop import Sent
from leadline.relay import bodies, control
from leadline.relay import journal as journals
from leadline.relay.server import Listening
from leadline.vault.keys import open_signer
from leadline.wiring import relay as wiring
from relay.relay_world import (
    KEY,
    NOW,
    ORIGIN,
    OTHER,
    Clock,
    Holder,
    Step,
    World,
    entries,
    relaying,
    sent,
    status,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'1d\r\ndata: {"model":"model-a-1"}\n\n\r\n'
ENDLESS: list[Step] = [HEAD, *cast("list[Step]", [EVENT, 0.05] * 400)]
BITE_SECONDS = 2.0


async def streaming(holder: Holder) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An open stream of which something has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", holder.world.port)
    writer.write(holder.request())
    await reader.readexactly(len(HEAD + EVENT))
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> float:
    """The seconds until a stream ends."""
    begun = time.monotonic()
    try:
        while await reader.read(65536):
            continue
    except ConnectionError:
        return time.monotonic() - begun
    return time.monotonic() - begun


def test_revocation_bites_on_open_streams(tmp_path: Path) -> None:
    """Twenty streams of one credential end; those of another run on; no answer is a clean one."""

    async def run() -> None:
        async with relaying(tmp_path, ENDLESS) as world:
            gone, stays = world.issue(), world.issue()
            open_ = [await streaming(gone) for _ in range(16)]
            other, other_writer = await streaming(stays)
            told = {"do": "revoke", "ids": [gone.made.id], "why": "test"}
            begun = time.monotonic()
            assert await asyncio.to_thread(control.tell, tmp_path, told) == [gone.made.id]
            await asyncio.gather(*(ended(reader) for reader, _ in open_))
            assert time.monotonic() - begun < BITE_SECONDS
            assert await other.readexactly(len(EVENT)) == EVENT
            assert {one["outcome"] for one in world.ends()} == {"revoked"}
            assert len(world.ends()) == 16
            assert status(await gone.ask()) == 401
            other_writer.close()
            for _, writer in open_:
                writer.close()

    asyncio.run(run())


def test_expiry_ends_a_stream_in_its_middle(tmp_path: Path) -> None:
    """As revocation does; so does a withdrawal, which revokes all."""

    async def run() -> None:
        async with relaying(tmp_path, ENDLESS) as world:
            short, long_ = world.issue(minutes=1), world.issue()
            reader, writer = await streaming(short)
            second, second_writer = await streaming(long_)
            world.clock.now += timedelta(minutes=1)
            assert await ended(reader) < BITE_SECONDS
            assert world.ends()[-1]["outcome"] == "expired"
            await asyncio.to_thread(control.tell, tmp_path, {"do": "revoke", "ids": []})
            assert await ended(second) < BITE_SECONDS
            assert world.ends()[-1]["outcome"] == "revoked"
            writer.close()
            second_writer.close()

    asyncio.run(run())


def test_the_control_socket_is_its_owners(tmp_path: Path) -> None:
    """Mode 0600 in a folder of mode 0700; what is no command is refused and changes nothing."""

    async def run() -> None:
        folder = tmp_path / ("long" * 30)
        async with relaying(folder, [OK]) as world:
            assert stat.S_IMODE((folder / control.SOCKET).stat().st_mode) == 0o600
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            size = world.state.journal.size
            for told in (
                {"do": "approve"},
                {"do": "issue", "caps": {"x": 1}},
                {"do": "issue", "caps": {}, "minutes": 0},
                {"do": "issue", "caps": {}, "minutes": 5, "engagement": "e", "models": "a"},
            ):
                with pytest.raises(Invalid):
                    await asyncio.to_thread(control.tell, folder, told)
            with pytest.raises(NotFound):
                await asyncio.to_thread(control.tell, folder, {"do": "revoke", "ids": ["x"]})
            reader, writer = await asyncio.open_unix_connection(sock=_connected(folder))
            writer.write(b"no json\n")
            assert b'"invalid"' in await reader.readline()
            writer.close()
            assert world.state.journal.size == size

    asyncio.run(run())


def _connected(folder: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with control.socket_path(folder) as path:
        sock.connect(path)
    return sock


def test_one_relay_a_folder(tmp_path: Path) -> None:
    """The second is refused, and what the first knows stays."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            with pytest.raises(Refused, match="another relay"):
                journals.open_journal(tmp_path, open_signer, ORIGIN, NOW)
            assert status(await world.issue().ask()) == 200

    asyncio.run(run())


def test_what_was_revoked_or_used_stays_so_after_a_restart(tmp_path: Path) -> None:
    """Everything is in the journal: credentials, revocations, usage, who answered."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            kept, gone = world.issue(), world.issue()
            await kept.ask()
            world.state.revoke([gone.made.id], "test")
        async with relaying(tmp_path, [OK]) as again:
            kept.world = gone.world = again
            assert status(await gone.ask()) == 401
            assert status(await kept.ask()) == 200
            assert again.state.listed()[0]["requests"] == 2
            assert again.state.listed()[1]["state"] == "revoked"

    asyncio.run(run())


def test_a_torn_line_is_cut_and_said(tmp_path: Path) -> None:
    """Never silently: its size and digest are entered, and `verify` tells it before."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            await world.issue().ask()
        size = len(entries(tmp_path))
        with (tmp_path / journals.JOURNAL).open("ab") as out:
            out.write(b'{"blinder":"00')
        assert journals.verify(tmp_path / journals.JOURNAL).torn_bytes == 14
        async with relaying(tmp_path, [OK]) as again:
            [told] = again.entries("journal.recovered")
            assert (told.number, told.detail["cut_bytes"]) == (size, 14)
            assert told.detail["cut_sha256"] == sha256(b'{"blinder":"00').hexdigest()

    asyncio.run(run())


@pytest.mark.parametrize("how", ["changed", "dropped", "swapped", "cut"])
def test_a_changed_journal_is_told(tmp_path: Path, how: str) -> None:
    """By `verify`, and by the next start, which does not write to it."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            for _ in range(3):
                await world.issue().ask()

    asyncio.run(run())
    path = tmp_path / journals.JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    if how == "changed":
        lines[2] = lines[2].replace(b"POST", b"PUT!")
    elif how == "dropped":
        del lines[2]
    elif how == "swapped":
        lines[2], lines[3] = lines[3], lines[2]
    else:
        del lines[-1]
    path.write_bytes(b"".join(lines))
    with pytest.raises(Tampered):
        wiring.verified(tmp_path, None, None)
    with pytest.raises(Tampered):
        journals.open_journal(tmp_path, open_signer, ORIGIN, NOW)
    with pytest.raises(NotFound):
        journals.verify(tmp_path / "none")
    path.write_bytes(b"x" * 70_000)
    with pytest.raises(Tampered, match="longer"):
        journals.verify(path)


def test_a_proof_counts_once_and_for_its_holder_only(tmp_path: Path) -> None:
    """Replayed, at once or after a restart, of another request or by another key: as any bad one."""

    async def run() -> None:
        clock, prover, thief = Clock(), Prover(), Prover()

        def proof(holder: Holder, who: Prover) -> str:
            url = f"http://127.0.0.1:{holder.world.port}/{holder.made.prefix}/v1/chat/completions"
            return "DPoP: " + who.proof(Sent("POST", url, holder.secret), clock.now)

        async with relaying(tmp_path, [OK], clock=clock, prove=wiring.prover()) as world:
            holder = world.issue(bound=f"dpop:{prover.jkt}")
            assert status(await holder.ask()) == 401
            raw = holder.request(headers=[proof(holder, prover)])
            told = await asyncio.gather(*(holder.ask(raw) for _ in range(3)))
            assert sorted(status(one) for one in told) == [200, 401, 401]
            assert "replayed" in str(world.entries("request.refused")[-1].detail["why"])
            stolen = holder.request(headers=[proof(holder, thief)])
            assert status(await holder.ask(stolen)) == 401
            again = holder.request(headers=[proof(holder, prover)])
            again = again.replace(b"Bearer", b"DPoP")
            assert status(await holder.ask(again)) == 200
            port = world.port
        async with relaying(tmp_path, [OK], clock=clock, prove=wiring.prover()) as later:
            later.state.public_url = f"http://127.0.0.1:{port}"
            holder.world = later
            assert status(await holder.ask(again)) == 401
            assert "replayed" in str(later.entries("request.refused")[-1].detail["why"])

    asyncio.run(run())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_a_certificate_is_the_holders(tmp_path: Path) -> None:
    """Over TLS, a credential bound to a client certificate is nobody else's."""
    authority = Authority(now=datetime.now(UTC))  # noqa: TID251 -- TLS looks at the real time
    files = dict[str, Path]()
    for who, uses in (("server", (SERVER,)), ("holder", (CLIENT,)), ("other", (CLIENT,))):
        key = ec.generate_private_key(ec.SECP256R1())
        der = authority.issued(key, "127.0.0.1", uses=uses)
        files[who] = tmp_path / f"{who}.pem"
        files[who].write_bytes(ssl.DER_cert_to_PEM_cert(der).encode() + _pem(key))
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    how = wiring.Serving(
        tmp_path,
        "https://a.example",
        KEY,
        certificate=files["server"],
        certificate_key=files["server"],
        clients=tmp_path / "ca.pem",
        listen="127.0.0.1:0",
    )
    tls = wiring._listening(how).tls
    der = ssl.PEM_cert_to_DER_cert(files["holder"].read_text().partition("-----BEGIN PRIVATE")[0])
    print_ = urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode()

    async def asked(world: World, port: int, who: str, raw: bytes) -> int:
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        context.check_hostname = False
        if who:
            context.load_cert_chain(files[who])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        told = status(await sent(reader, writer, raw))
        writer.close()
        return told

    async def run() -> None:
        async with relaying(tmp_path / "relay", [OK]) as world:
            holder = world.issue(bound=f"certificate:{print_}")
            loop = asyncio.get_running_loop()
            from leadline.relay.wire import Side

            tasks = set[asyncio.Task[None]]()
            secure = await loop.create_server(
                lambda: Side(
                    lambda side: tasks.add(
                        loop.create_task(world.server._client(side, secure=True))
                    )
                ),
                "127.0.0.1",
                0,
                ssl=tls,
            )
            port = secure.sockets[0].getsockname()[1]
            raw = holder.request()
            assert await asked(world, port, "holder", raw) == 200
            assert await asked(world, port, "other", raw) == 401
            assert await asked(world, port, "", raw) == 401
            assert status(await holder.ask()) == 401
            secure.close()
            await asyncio.gather(*tasks)

    asyncio.run(run())


def test_the_holder_sees_what_is_committed(tmp_path: Path) -> None:
    """Credential, signed head and whether bodies are kept, by the credential itself."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue()
            raw = holder.request("/.leadline/relay", b"", method="GET")
            told = json.loads((await holder.ask(raw)).partition(b"\r\n\r\n")[2])
            assert (told["credential"], told["keeps_bodies"]) == (holder.made.id, False)
            keys = (tmp_path / journals.KEYS).read_text()
            head = journals.signed_head(told["head"].encode(), keys)
            assert head.size == world.state.journal.size
            assert (
                status(await holder.ask(holder.request("/.leadline/relay", secret="llr_x"))) == 401
            )

    asyncio.run(run())


def test_bodies_are_kept_only_sealed(tmp_path: Path) -> None:
    """To a key whose private half opens them, whole; nothing else does."""
    key, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    for name, one in (("key.pem", key), ("other.pem", other)):
        (tmp_path / name).write_bytes(
            one.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    (tmp_path / "public.pem").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    folder = tmp_path / "bodies"
    keep = bodies.SealedBodies(folder, bodies.public_key(tmp_path / "public.pem"))
    large = b"z" * 200_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large) + large

    async def run() -> None:
        async with relaying(tmp_path / "relay", [answer], dialects=(OTHER,), keep=keep) as world:
            holder = world.issue(models=())
            assert await holder.ask(holder.request(body=b"secret words")) == answer

    asyncio.run(run())
    files = sorted(folder.iterdir())
    assert [one.name.split(".")[1] for one in files] == ["request", "response"]
    assert bodies.opened(files[0], tmp_path / "key.pem") == b"secret words"
    assert bodies.opened(files[1], tmp_path / "key.pem") == large
    assert not any(b"secret words" in one.read_bytes() for one in files)
    whole = files[1].read_bytes()
    for data, key_file in ((whole, "other.pem"), (whole[:65_600], "key.pem"), (b"", "key.pem")):
        files[1].write_bytes(data)
        with pytest.raises(Tampered):
            bodies.opened(files[1], tmp_path / key_file)
    with pytest.raises(Invalid):
        bodies.public_key(tmp_path / "key.pem")
    with pytest.raises(Invalid):
        bodies.opened(files[0], tmp_path / "public.pem")
    with pytest.raises(NotFound):
        bodies.opened(tmp_path / "none", tmp_path / "key.pem")


# The process and its commands


def leadline(*words: str, home: Path) -> Result:
    """Run a command in this process."""
    state = ["--state", str(home / "relay")] if words[0] not in ("serve", "verify") else []
    given = [str(home / one) if one in ("relay", "c.txt") else one for one in words]
    return CliRunner().invoke(relay_noun.app, [*given, *([] if "--state" in words else state)])


@contextmanager
def served(home: Path, upstream: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A relay as a process of its own; gives it and its port."""
    (home / "upstream.key").write_text(KEY)
    (home / "upstream.key").chmod(0o600)
    argv = [sys.executable, "-m", "leadline", "relay", "serve", "--upstream", upstream]
    argv += ["--dialect", "openai-chat", "--key-file", "upstream.key", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, cwd=home) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline()
            assert first.startswith("leadline relay at http://127.0.0.1:"), first
            yield process, int(first.rpartition(":")[2])
        finally:
            process.kill()
            process.wait()


def test_it_is_killed_in_the_middle_of_a_stream_and_starts_again(tmp_path: Path) -> None:
    """The journal is whole, the lost exchange counts at the worst case, a revoked id never works."""

    async def run() -> None:
        async with relaying(tmp_path / "beside", ENDLESS) as beside:
            upstream = f"http://{beside.server.upstream.host.decode()}"
            with served(tmp_path, upstream) as (process, port):
                options = ("--engagement", "e-1", "--model", "model-a", "--json")
                made = [
                    json.loads(
                        (await asyncio.to_thread(leadline, "issue", *options, home=tmp_path)).stdout
                    )
                    for _ in range(2)
                ]
                await asyncio.to_thread(leadline, "revoke", made[1]["id"], home=tmp_path)
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(_asked(made[0], port))
                await reader.readexactly(len(HEAD + EVENT))
                os.kill(process.pid, signal.SIGKILL)
                await ended(reader)
                writer.close()
            found = await asyncio.to_thread(leadline, "verify", "relay", "--json", home=tmp_path)
            assert json.loads(found.stdout)["torn_bytes"] == 0
            with served(tmp_path, upstream) as (process, port):
                assert entries(tmp_path / "relay")[-2].detail["outcome"] == "lost"
                for one, due in ((made[0], 200), (made[1], 401)):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(_asked(one, port))
                    assert status(await reader.readuntil(b"\r\n\r\n")) == due
                    writer.close()
                listed = await asyncio.to_thread(leadline, "list", home=tmp_path)
                assert "2 requests, 400000 tokens" in listed.stdout
                begun = time.monotonic()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(_asked(made[0], port))
                await reader.readexactly(len(HEAD + EVENT))
                await asyncio.to_thread(control.tell, tmp_path / "relay", {"do": "revoke"})
                assert await ended(reader) < BITE_SECONDS
                assert time.monotonic() - begun < 10
                writer.close()
                os.kill(process.pid, signal.SIGTERM)
                assert await asyncio.to_thread(process.wait, 10) == 0
            assert entries(tmp_path / "relay")[-1].kind == "relay.stopped"

    asyncio.run(run())


def _asked(made: dict[str, str], port: int) -> bytes:
    body = b'{"model":"model-a"}'
    return (
        f"POST /{made['prefix']}/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {made['secret']}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def test_commands_work_while_it_rests(tmp_path: Path) -> None:
    """Issue, list, revoke, commitments, verify: on the folder itself; the file that leaves is signed."""
    journals.open_journal(tmp_path / "relay", open_signer, ORIGIN, NOW).close()
    made = leadline(
        "issue", "--engagement", "e-1", "--money", "1.50", "--price-out", "2", home=tmp_path
    )
    assert "shown this once" in made.stdout
    assert leadline("list", "--json", home=tmp_path).stdout.count('"open"') == 1
    gone = leadline("revoke", "--all", "--why", "withdrawn", home=tmp_path)
    assert (gone.exit_code, gone.stdout[:22]) == (0, "ended for good: relay-"), gone.stdout
    again = leadline("revoke", "--all", "--json", home=tmp_path)
    assert json.loads(again.stdout) == {"ended": []}
    assert leadline("commitments", "--out", "c.txt", home=tmp_path).exit_code == 0
    (tmp_path / "c.txt").chmod(0o600)
    keys = (tmp_path / "relay" / journals.KEYS).read_text()
    told = read((tmp_path / "c.txt").read_bytes(), keys)
    assert (told.size, told.engagements, told.keeps_bodies) == (2, ("e-1",), False)
    whole = leadline("verify", "relay", home=tmp_path)
    assert whole.stdout.startswith("2 entries, 2 of them signed")
    for words, code in (
        (("issue", "--engagement", "e-1", "--money", "x"), 2),
        (("issue", "--engagement", "e-1", "--money", "-1"), 2),
        (("revoke",), 2),
        (("revoke", "relay-none"), 4),
        (("list", "--state", "none"), 4),
        (("serve", "--upstream", "https://a.example"), 2),
        (("serve", "--upstream", "https://a.example", "--key-file", "c.txt", "--dialect", "x"), 2),
        (("serve", "--upstream", "https://a.example", "--key-file", "c.txt", "--listen", "x"), 2),
    ):
        assert leadline(*words, home=tmp_path).exit_code == code, words
    keyless = ("serve", "--upstream", "https://a.example", "--key-file", "gone.key")
    assert "gone.key is not there or empty" in leadline(*keyless, home=tmp_path).stderr


def test_listening_options(tmp_path: Path) -> None:
    """A certificate and its key come together, and can be read."""
    one = wiring.Serving(tmp_path, "https://a.example", KEY, listen="[::1]:0")
    assert wiring._listening(one) == Listening("::1", 0)
    for wrong in (
        wiring.Serving(tmp_path, "", KEY, certificate=tmp_path / "x"),
        wiring.Serving(
            tmp_path, "", KEY, certificate=tmp_path / "x", certificate_key=tmp_path / "x"
        ),
        wiring.Serving(tmp_path, "", KEY, listen="127.0.0.1:70000"),
    ):
        with pytest.raises(Invalid):
            wiring._listening(wrong)
    with pytest.raises(Invalid):
        wiring._keep(wiring.Serving(tmp_path, "", KEY, bodies=tmp_path))
