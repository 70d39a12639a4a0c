"""The Messages API on the loopback: real HTTP, scripted replies, and the API's own rules for requests.

``messages.script(...)`` queues replies; ``messages.answer = lambda request: ...`` gives one for each request.
A reply is an :class:`Answer`, a :class:`Fault`, a :class:`Cut`, or for short a text or anything JSON (the
answer's text). A machine's own environment is ``messages.env``: ``machine.env.update(messages.env)``.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import messages_rules
import pytest

KEY = "sk-ant-a-key-of-a-test"  # shorter than a real one, so that no scanner takes it for one
CACHED_FROM = 1024  # tokens of a prefix that the cache takes


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: Any

    @property
    def counting(self) -> bool:
        """Whether only the tokens are to be counted."""
        return self.path.endswith("/count_tokens")

    @property
    def text(self) -> str:
        """What the user's messages say."""
        return "\n".join(_said(message["content"]) for message in self.body["messages"])

    @property
    def system(self) -> str:
        """The instructions."""
        return _said(self.body.get("system", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """A message; ``text`` that is not a text is sent as JSON.

    ``after``: seconds before it begins. ``thinking``: a block that comes first, as from a model that thinks.
    """

    text: Any
    stop: str = "end_turn"
    output: int | None = None
    after: float = 0
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error status, as the API words it."""

    status: int
    kind: str = "api_error"
    said: str = "Something is wrong"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends after so many bytes of the body (the headers promised more)."""

    after: int = 20
    text: str = "never said in full"


@dataclass(frozen=True, slots=True)
class Raw:
    """A body that is not the API's, such as a gateway's page."""

    body: bytes
    kind: str = "text/html"
    status: int = 200


OVERLOADED = Fault(529, "overloaded_error", "Overloaded")
LIMITED = Fault(429, "rate_limit_error", "Too many requests", {"retry-after": "1"})
BROKEN = Fault(500, "api_error", "Internal server error")
REFUSED = Answer("I can't help with that.", stop="refusal")
CUT_OFF = Answer('{"steps": [{"action": "cre', stop="max_tokens")

Reply = Any


class Messages:
    """A running stand-in: what it shall say, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = KEY
        self.answer: Callable[[Request], Reply] | None = None
        self.requests: list[Request] = []
        self.wrong: list[str] = []  # requests that the real API would have refused
        self.unknown_models: set[str] = {"claude-nonexistent"}
        self._queue: deque[Reply] = deque()
        self._cached: set[str] = set()
        self._lock = threading.Lock()

    @property
    def env(self) -> dict[str, str]:
        """What a child needs to come here."""
        return {"ANTHROPIC_BASE_URL": self.url, "ANTHROPIC_API_KEY": self.key}

    @property
    def asked(self) -> list[Request]:
        """The requests for an answer, without those that only count."""
        return [request for request in self.requests if not request.counting]

    def script(self, *replies: Reply) -> None:
        """Say these, one after the other; afterwards what ``answer`` says."""
        self._queue.extend(replies)

    def take(self, request: Request) -> Reply:
        """The reply to this request."""
        with self._lock:
            self.requests.append(request)
            refused = list(self._refusals(request))
            if refused:
                return refused[0]
            if request.counting:
                return Raw(json.dumps({"input_tokens": tokens(request.body)}).encode(), "application/json")
            if self._queue:
                return self._queue.popleft()
        if self.answer is None:
            self.wrong.append("a request came for which no reply was scripted")
            return Fault(400, "invalid_request_error", "no reply is scripted")
        try:
            return self.answer(request)
        except Exception as error:
            self.wrong.append(f"the test's own answer failed: {error!r}")
            raise

    def _refusals(self, request: Request) -> Iterator[Fault]:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.key not in (given, request.headers.get("x-api-key", "")):
            yield Fault(401, "authentication_error", "invalid bearer token")
            return
        for said in messages_rules.refusals(request.headers, request.body, counting=request.counting):
            self.wrong.append(said)
            yield Fault(400, "invalid_request_error", said)
        if isinstance(request.body, dict) and request.body.get("model") in self.unknown_models:
            yield Fault(404, "not_found_error", f"model: {request.body['model']}")

    def message(self, request: Request, answer: Answer) -> dict[str, Any]:
        """The message that the API would make of an answer, with its usage."""
        text = answer.text if isinstance(answer.text, str) else json.dumps(answer.text)
        spent = len(text.encode()) // 3 + 1 if answer.output is None else answer.output
        thought = {"type": "thinking", "thinking": answer.thinking, "signature": "c2lnbmVk"}
        return {
            "id": f"msg_{len(self.requests):06d}",
            "type": "message",
            "role": "assistant",
            "model": request.body["model"],
            "content": [thought] * bool(answer.thinking) + [{"type": "text", "text": text}] * bool(text),
            "stop_reason": answer.stop,
            "stop_sequence": None,
            "usage": self._usage(request, spent),
        }

    def _usage(self, request: Request, output: int) -> dict[str, int]:
        every, prefix = tokens(request.body), self._prefix(request.body)
        kept = tokens(prefix) if prefix else 0
        kept = kept if kept >= CACHED_FROM else 0
        again = json.dumps(prefix) in self._cached
        self._cached.add(json.dumps(prefix))
        return {
            "input_tokens": every - kept,
            "cache_creation_input_tokens": 0 if again else kept,
            "cache_read_input_tokens": kept if again else 0,
            "output_tokens": output,
        }

    @staticmethod
    def _prefix(body: Mapping[str, Any]) -> Any:
        system = body.get("system")
        kept = isinstance(system, list) and any("cache_control" in block for block in system)
        return [system, body.get("output_config", {}).get("format")] if kept else None


def tokens(content: Any) -> int:
    """A count that is always the same for the same content: a token for three bytes."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in _texts([content])) // 3 + 1


def _said(content: str | list[Mapping[str, Any]]) -> str:
    return content if isinstance(content, str) else "\n".join(block.get("text", "") for block in content)


def _texts(parts: Iterable[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping):
            yield from part
            yield from _texts(part.values())
        elif isinstance(part, list | tuple):
            yield from _texts(part)


class _Handler(BaseHTTPRequestHandler):
    """One request: take what is scripted, and say it as the API does."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: two would wait for each other
    messages: Messages

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            read = json.loads(body)
        except ValueError:
            read = None
        request = Request(self.path.partition("?")[0], headers, read)
        if request.path not in ("/v1/messages", "/v1/messages/count_tokens"):
            self._fault(Fault(404, "not_found_error", "Not found"))
            return
        self._say(request, self.messages.take(request))

    def log_message(self, *_args: object) -> None:
        """Say nothing: a test's output is its own."""

    def _say(self, request: Request, reply: Reply) -> None:
        if isinstance(reply, Fault):
            self._fault(reply)
        elif isinstance(reply, Raw):
            self._send(reply.status, reply.body, {"content-type": reply.kind})
        elif isinstance(reply, Cut):
            self._cut(request, reply)
        else:
            answer = reply if isinstance(reply, Answer) else Answer(reply)
            time.sleep(answer.after)
            message = self.messages.message(request, answer)
            if request.body.get("stream"):
                self._send(200, b"".join(_events(message)), {"content-type": "text/event-stream"})
            else:
                self._send(200, json.dumps(message).encode(), {"content-type": "application/json"})

    def _fault(self, fault: Fault) -> None:
        body = {"type": "error", "error": {"type": fault.kind, "message": fault.said}, "request_id": "req_1"}
        self._send(
            fault.status, json.dumps(body).encode(), {"content-type": "application/json", **fault.headers}
        )

    def _cut(self, request: Request, cut: Cut) -> None:
        message = self.messages.message(request, Answer(cut.text))
        streamed = request.body.get("stream")
        body = b"".join(_events(message)) if streamed else json.dumps(message).encode()
        self._head(200, len(body), {"content-type": "text/event-stream" if streamed else "application/json"})
        self.wfile.write(body[: cut.after])
        self.wfile.flush()
        # A reset, as when a machine between the two goes down.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        try:
            self._head(status, len(body), headers)
            self.wfile.write(body)
        except OSError:  # the client has given up waiting
            self.close_connection = True

    def _head(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"request-id": "req_1", **headers, "content-length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()


def _events(message: Mapping[str, Any]) -> Iterator[bytes]:
    usage = message["usage"]
    begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield _event("message_start", message=begun)
    for number, block in enumerate(message["content"]):
        kind = block["type"]
        yield _event("content_block_start", index=number, content_block={**block, kind: ""})
        for start in range(0, len(block[kind]), 40):
            part = {"type": f"{kind}_delta", kind: block[kind][start : start + 40]}
            yield _event("content_block_delta", index=number, delta=part)
        yield _event("content_block_stop", index=number)
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=ended, usage={"output_tokens": usage["output_tokens"]})
    yield _event("message_stop")


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


@pytest.fixture
def messages(home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Messages]:
    """The stand-in, known to this process and its children by the environment.

    At the end no request may have been one that the real API refuses (who wants one empties ``wrong``).
    """
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    running = Messages(f"http://127.0.0.1:{server.server_address[1]}")
    handler.messages = running
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    for name, value in running.env.items():
        monkeypatch.setenv(name, value)
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert running.wrong == []
