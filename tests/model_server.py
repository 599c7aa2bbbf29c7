"""A local OpenAI-compatible server whose scripted solver works only from real tool output.

It knows nothing of the item: it learns the sources from the listing its first tool call printed, the
crash from the fuzzer's own output, and it gives up (in words, without a proof) when a tool did not
really produce what the next step needs. A solved item therefore shows that tools ran.
"""

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

FUZZ_RUNS = 150_000
HUGE_BYTES = 100 << 20
STATUS = {"status": 500, "busy": 429}
PAYLOADS = {
    "garbage": b"<html>a proxy's words",
    "status": b'{"error": {}}',
    "busy": b'{"error": {"message": "too many requests"}}',
}
LOOK = "cd /task && cat task.json && echo && echo SOURCES: $(find . -name '*.c' | sort)"


@dataclass
class Script:
    """What the server saw, and how it answers.

    *usage* False leaves token counts out of the answers. *fault* makes every request about a task
    whose sources include *faulty* end in an error of the server's ("status"), in bytes that are no
    JSON ("garbage"), in a closed connection ("hangup"), in no answer for *hang_seconds* ("hang"), in
    "too many requests" ("busy"), in a tool call whose arguments are no JSON ("malformed"), in the
    answer of a model of another name ("renamed") or in an answer that goes on for 100 MB ("huge").
    """

    usage: bool = True
    fault: str = ""
    faulty: str = ""
    name: str = "scripted"
    hang_seconds: float = 20.0
    sent: int = 0  # bytes of huge answers that were taken
    hung_up: list[str] = field(default_factory=list)  # how callers went before the end
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def answer(self, messages: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
        """The next step: (name of a tool, its argument), or ("", words) to say something."""
        outputs = [str(m.get("content")) for m in messages if m.get("role") == "tool"]
        if not outputs:
            return "bash", LOOK
        return self._next(outputs)

    def fault_for(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """How the request is to fail, if it is one of those that are."""
        told = json.dumps(list(messages))
        return self.fault if self.fault and self.faulty in told else ""

    def _next(self, outputs: Sequence[str]) -> tuple[str, str]:
        step = len(outputs)
        if step == 1:
            listed = re.findall(r"\./\S+\.c", outputs[0].partition("SOURCES:")[2])
            sources = [name for name in listed if not name.endswith("/main.c")]
            if not sources:
                return self._give_up("the listing shows no C source")
            return "bash", _fuzz(sources)
        if step == 2:
            if "SUMMARY: AddressSanitizer" not in outputs[1] or "CRASH:" not in outputs[1]:
                return self._give_up("the fuzzer found nothing")
            crash = outputs[1].partition("CRASH:")[2].split()[0]
            return "bash", f"cp {crash} /box/proof && sha256sum /box/proof"
        if not re.match(r"[0-9a-f]{64}  /box/proof", outputs[2].strip()):
            return self._give_up("the proof was not written")
        return "submit", "A crashing input stands in /box/proof."

    def _give_up(self, why: str) -> tuple[str, str]:
        self.refusals.append(why)
        return "submit", f"No proof: {why}."


def _fuzz(sources: Sequence[str]) -> str:
    names = " ".join(f"/task/{source[2:]}" for source in sources)
    return (
        f"cd /box && clang -g -O1 -fsanitize=address,fuzzer -I/task/src -o fuzz {names}"
        " && mkdir -p corpus && cp /task/samples/* corpus/"
        f" && ./fuzz -runs={FUZZ_RUNS} -seed=1 -artifact_prefix=/box/crash- corpus >out.txt 2>&1;"
        " tail -n 3 out.txt; grep -m1 SUMMARY out.txt; echo CRASH: $(ls /box/crash-* 2>/dev/null)"
    )


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """Serve *script* on a loopback port; yields the base URL."""

    class Answer(BaseHTTPRequestHandler):
        @override
        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output quiet."""

        def do_POST(self) -> None:
            """Answer one chat completion."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.requests.append(body)
            fault = script.fault_for(body["messages"])
            if fault == "hangup":
                self.close_connection = True
                return
            if fault == "huge":
                self._endless()
                return
            payload = _payload(script, fault, body["messages"])
            self.send_response(STATUS.get(fault, 200))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self._send([payload])

        def _endless(self) -> None:
            """Begin an answer of 100 MB, and send of it what is taken."""
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(HUGE_BYTES))
            self.end_headers()
            script.sent += self._send([b"x" * (1 << 20)] * (HUGE_BYTES >> 20))

        def _send(self, pieces: Sequence[bytes]) -> int:
            """Send *pieces*; answers how many bytes were taken before the caller hung up."""
            taken = 0
            try:
                for piece in pieces:
                    self.wfile.write(piece)
                    taken += len(piece)
            except OSError as error:
                script.hung_up.append(type(error).__name__)
            return taken

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def _payload(script: Script, fault: str, messages: Sequence[Mapping[str, Any]]) -> bytes:
    """What is sent for *messages*, changed as *fault* says."""
    if fault == "hang":
        time.sleep(script.hang_seconds)
    if fault in PAYLOADS:
        return PAYLOADS[fault]
    name, text = script.answer(messages)
    told = _completion(name, text, usage=script.usage, model=script.name)
    if fault == "renamed":
        told["model"] = "another"
    if fault == "malformed":
        told["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = '{"com'
    return json.dumps(told).encode()


def _completion(tool: str, text: str, *, usage: bool, model: str) -> dict[str, Any]:
    argument = {"bash": "command", "python": "code", "submit": "answer"}.get(tool, "")
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": tool, "arguments": json.dumps({argument: text})},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
    }
    if usage:
        answer["usage"] = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return answer
