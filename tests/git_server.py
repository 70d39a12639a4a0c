"""A git server over smart HTTP on the loopback: Python's http.server in front of `git http-backend`.

Pushes, gzip and chunked request bodies work; with a token it asks for basic authentication, as GitHub does.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import parts


@dataclass(frozen=True, slots=True)
class HttpRemote:
    """A running server: its address, and the folder whose repositories it serves."""

    base: str
    folder: Path
    token: str

    def create(self, name: str = "vault.git") -> str:
        """A new empty bare repository; its URL."""
        path = self.folder / name
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
        subprocess.run(["git", "-C", path, "config", "http.receivepack", "true"], check=True)
        return f"{self.base}/{name}"

    def with_token(self, url: str) -> str:
        """The same URL with the token in it, as a user of a token would type it."""
        return url.replace("://", f"://x-access-token:{self.token}@", 1)


@pytest.fixture
def http_remote(tmp_path: Path) -> Iterator[HttpRemote]:
    """A git server over smart HTTP that lets everybody in."""
    with_server = _serve(tmp_path / "http-remotes", "")
    yield next(with_server)
    with_server.close()


@pytest.fixture
def http_remote_with_token(tmp_path: Path) -> Iterator[HttpRemote]:
    """The same, behind basic authentication; ``.token`` is the password."""
    with_server = _serve(tmp_path / "http-remotes", "secret-token-of-a-test")
    yield next(with_server)
    with_server.close()


def _serve(folder: Path, token: str) -> Iterator[HttpRemote]:
    backend()
    folder.mkdir()
    handler = type("Handler", (_Handler,), {"folder": folder, "token": token})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield HttpRemote(f"http://127.0.0.1:{server.server_address[1]}", folder, token)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@cache
def backend() -> str:
    """The program behind git over HTTP; a test ends here where this git came without it."""
    done = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
    found = shutil.which("git-http-backend", path=done.stdout.strip())
    if found is None:
        parts.missing("git-http-backend", "this git came without it")
    return str(found)


class _Handler(BaseHTTPRequestHandler):
    """One request: hand it to the CGI program, hand back what it says."""

    protocol_version = "HTTP/1.1"
    folder: Path
    token: str

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_args: object) -> None:
        """Say nothing: a test's output is its own."""

    def _answer(self) -> None:
        body = read_body(self)
        if not self._may_enter():
            send(self, 401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
            return
        send(self, *ask_backend(self, self.folder, self.path, body))

    def _may_enter(self) -> bool:
        if not self.token:
            return True
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        return kind == "Basic" and base64.b64decode(value).decode().partition(":")[2] == self.token


Fields = list[tuple[str, str]]


def read_body(request: BaseHTTPRequestHandler) -> bytes:
    """The body of a request, however it was sent."""
    if request.headers.get("Transfer-Encoding") == "chunked":
        raw = b"".join(_chunks(request.rfile.readline, request.rfile.read))
    else:
        raw = request.rfile.read(int(request.headers.get("Content-Length", 0)))
    if request.headers.get("Content-Encoding") == "gzip":
        return zlib.decompress(raw, wbits=31)
    return raw


def send(request: BaseHTTPRequestHandler, status: int, fields: Fields, content: bytes) -> None:
    """Answer a request."""
    request.send_response(status)
    for name, value in fields:
        request.send_header(name, value)
    if status != 204:  # which has no body, and must not say that it has one
        request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
    request.wfile.flush()


def ask_backend(
    request: BaseHTTPRequestHandler, folder: Path, url: str, body: bytes, extra: dict[str, str] | None = None
) -> tuple[int, Fields, bytes]:
    """What `git http-backend` answers for the repositories in ``folder``: status, headers, content."""
    path, _, query = url.partition("?")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        **(extra or {}),
    }
    done = subprocess.run([backend()], input=body, env=env, capture_output=True, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    fields = [line.partition(": ")[::2] for line in head.decode("latin-1").split("\r\n") if line]
    status = next((value for name, value in fields if name == "Status"), "200 OK")
    if not head:
        status = "500 the backend said nothing"
    kept = [(name, value) for name, value in fields if name not in ("Status", "Content-Length")]
    return int(status.split()[0]), kept, content


def _chunks(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> Iterator[bytes]:
    while size := int(readline().partition(b";")[0], 16):
        yield read(size)
        readline()
    readline()
