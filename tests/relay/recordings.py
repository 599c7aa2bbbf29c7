"""Exchanges in the documented wire form of each API, written by hand; no real prompt, no real model.

Forms: OpenAI API reference (chat streaming, responses streaming events), Anthropic "Streaming Messages",
Gemini `generateContent` and `streamGenerateContent`, vLLM's OpenAI-compatible server.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

DOCUMENT = dict[str, object]


@dataclass(frozen=True)
class Recording:
    """A request's body and an answer, with what is to be read in it."""

    name: str
    dialect: str
    path: str
    body: bytes
    head: bytes
    content: bytes
    framed: bytes
    tokens: int
    counted: str = "answer"
    model: str = "model-a"
    answered: str = "model-a-2026-11-01"
    header: str = "Authorization: Bearer "

    @property
    def answer(self) -> bytes:
        """The answer as it goes over the wire."""
        return self.head + self.framed

    def request(self, prefix: str, port: int, secret: str) -> bytes:
        """The request as it goes over the wire."""
        lines = [
            f"POST /{prefix}{self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "accept: */*",
            f"{self.header}{secret}",
            "X-Stainless-Lang: python",
            "content-type: application/json",
            f"Content-Length: {len(self.body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _whole(
    name: str, dialect: str, path: str, body: object, told: object, **more: object
) -> Recording:
    content = _json(told)
    head = (
        "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"
        f"x-request-id: req_1\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return Recording(name, dialect, path, _json(body), head.encode(), content, content, **more)  # type: ignore[arg-type] # fields by name


def _stream(
    name: str, dialect: str, path: str, body: object, pieces: Sequence[bytes], **more: object
) -> Recording:
    framed = b"".join(b"%X\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
        b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return Recording(name, dialect, path, _json(body), head, b"".join(pieces), framed, **more)  # type: ignore[arg-type] # fields by name


def _data(*events: object) -> list[bytes]:
    return [b"data: " + _json(one) + b"\n\n" for one in events]


def _named(*events: DOCUMENT) -> list[bytes]:
    return [
        b"event: " + str(one["type"]).encode() + b"\ndata: " + _json(one) + b"\n\n"
        for one in events
    ]


def _split(pieces: Sequence[bytes], size: int) -> list[bytes]:
    """The same bytes in pieces whose ends fall within events and within letters."""
    whole = b"".join(pieces)
    return [whole[at : at + size] for at in range(0, len(whole), size)]


ANSWERED = "model-a-2026-11-01"
ASK: DOCUMENT = {"model": "model-a", "messages": [{"role": "user", "content": "Größe?"}]}


def _chat_chunk(delta: DOCUMENT, usage: object = None) -> DOCUMENT:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": ANSWERED,
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        "usage": usage,
    }


CHAT_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
CHAT_STREAM = [
    b": keep-alive\n\n",
    *_data(_chat_chunk({"role": "assistant"}), _chat_chunk({"content": "Über 日本"})),
    *_data({**_chat_chunk({}), "choices": [], "usage": CHAT_USAGE}),
    b"data: [DONE]\n\n",
]
RESPONSE: DOCUMENT = {"id": "resp_1", "object": "response", "model": ANSWERED, "usage": None}
RESPONSE_USAGE = {"input_tokens": 11, "output_tokens": 6, "total_tokens": 17}
MESSAGE: DOCUMENT = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": ANSWERED,
    "content": [],
    "usage": {"input_tokens": 9, "cache_read_input_tokens": 2, "output_tokens": 1},
}
GEMINI_LAST: DOCUMENT = {
    "candidates": [
        {"content": {"parts": [{"text": "Größe"}], "role": "model"}, "finishReason": "STOP"}
    ],
    "usageMetadata": {
        "promptTokenCount": 4,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 8,
        "totalTokenCount": 15,
    },
    "modelVersion": ANSWERED,
}
GEMINI_FIRST: DOCUMENT = {**GEMINI_LAST, "usageMetadata": {"promptTokenCount": 4}}
GEMINI_ASK: DOCUMENT = {"contents": [{"parts": [{"text": "Größe?"}]}]}

ALL = (
    _whole(
        "chat",
        "openai-chat",
        "/v1/chat/completions",
        ASK,
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": ANSWERED,
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Größe \ud7ff"}}],
            "usage": CHAT_USAGE,
        },
        tokens=15,
    ),
    _stream(
        "chat-stream",
        "openai-chat",
        "/v1/chat/completions",
        {**ASK, "stream": True, "stream_options": {"include_usage": True}},
        CHAT_STREAM,
        tokens=15,
    ),
    _stream(
        "chat-stream-split",
        "openai-chat",
        "/v1/chat/completions",
        {**ASK, "stream": True},
        _split(CHAT_STREAM, 11),
        tokens=15,
    ),
    _stream(
        "chat-stream-without-usage",
        "openai-chat",
        "/v1/chat/completions",
        {**ASK, "stream": True},
        [*_data(_chat_chunk({"content": "x"})), b"data: [DONE]\n\n"],
        tokens=200_000,
        counted="worst case",
    ),
    _whole(
        "responses",
        "openai-responses",
        "/v1/responses",
        {"model": "model-a", "input": "Größe?"},
        {**RESPONSE, "usage": RESPONSE_USAGE},
        tokens=17,
    ),
    _stream(
        "responses-stream",
        "openai-responses",
        "/v1/responses",
        {"model": "model-a", "input": "Größe?", "stream": True},
        _named(
            {"type": "response.created", "response": RESPONSE},
            {"type": "response.output_text.delta", "delta": "Gr"},
            {"type": "response.completed", "response": {**RESPONSE, "usage": RESPONSE_USAGE}},
        ),
        tokens=17,
    ),
    _whole(
        "messages",
        "anthropic-messages",
        "/v1/messages",
        {**ASK, "max_tokens": 50},
        MESSAGE,
        tokens=12,
        header="x-api-key: ",
    ),
    _stream(
        "messages-stream",
        "anthropic-messages",
        "/v1/messages",
        {**ASK, "max_tokens": 50, "stream": True},
        _named(
            {"type": "message_start", "message": MESSAGE},
            {"type": "ping"},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "ß"},
            },
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 7},
            },
            {"type": "message_stop"},
        ),
        tokens=18,
        header="x-api-key: ",
    ),
    _whole(
        "gemini",
        "gemini",
        "/v1beta/models/model-a:generateContent",
        GEMINI_ASK,
        GEMINI_LAST,
        tokens=15,
        header="x-goog-api-key: ",
    ),
    _stream(
        "gemini-stream",
        "gemini",
        "/v1beta/models/model-a:streamGenerateContent?alt=sse",
        GEMINI_ASK,
        [one.replace(b"\n\n", b"\r\n\r\n") for one in _data(GEMINI_FIRST, GEMINI_LAST)],
        tokens=15,
        header="x-goog-api-key: ",
    ),
    _whole(
        "gemini-array",
        "gemini",
        "/v1beta/models/model-a:streamGenerateContent",
        GEMINI_ASK,
        [GEMINI_FIRST, GEMINI_LAST],
        tokens=15,
        header="x-goog-api-key: ",
    ),
    _stream(
        "vllm-stream",
        "vllm",
        "/v1/chat/completions",
        {**ASK, "stream": True},
        [*CHAT_STREAM[:-1], b"data:\ndata: [DONE]\n\n"],
        tokens=15,
    ),
)
