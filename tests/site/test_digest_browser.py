"""The digest in a real browser: it renders, runs nothing, and asks for nothing from elsewhere."""

import functools
import http.server
import json
import subprocess
import threading

import pytest

from gitmem.memory.digest import select
from gitmem.memory.memory import Memory
from gitmem.site.build import build

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--hide-scrollbars",
    # Any other host leads nowhere, so that a page which asks elsewhere fails instead of waiting.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
BODY = (
    "First *line* with `code`.\n\n- item <script>document.title = 'ran'</script>\n\n"
    "<img src=https://elsewhere.example/x.png onerror=\"document.title='ran'\">\n\n[web](https://elsewhere.example/)\n"
)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    one = Memory(
        id="01KAGFWXW0ABCDEFGHJKMNPQRS", created="2026-01-01T00:00:00Z", title="Shown", body=BODY, share=True
    )
    for name, data in build(select([one], 8000, "2026-11-20T07:00:00Z")).items():
        (folder / name).write_bytes(data)
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    ) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def run(chromium, profile, *arguments):
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", *arguments]
    return subprocess.run(command, capture_output=True, timeout=120, check=True).stdout


def test_the_page_renders_runs_nothing_and_asks_nothing_elsewhere(chromium, site, tmp_path):
    url = f"http://127.0.0.1:{site.server_port}/index.html"
    log = tmp_path / "net.json"
    dom = run(chromium, tmp_path / "a", f"--log-net-log={log}", "--dump-dom", url).decode()
    assert "<title>Memory digest</title>" in dom and "<h3>Shown</h3>" in dom and "<code>code</code>" in dom
    assert "<script" not in dom and "<img" not in dom and "&lt;script&gt;" in dom
    # The browser itself asks for an icon; the page asks for nothing more.
    assert set(site.asked) <= {"/index.html", "/favicon.ico"} and "/index.html" in site.asked
    assert "elsewhere.example" not in _asked(log)


def _asked(log):
    text = log.read_text()
    try:
        events = json.loads(text)["events"]
    except ValueError:  # a browser that is stopped early leaves the list open
        events = json.loads(text.rstrip().rstrip(",") + "]}")["events"]
    return " ".join(str(event.get("params", {}).get("url", "")) for event in events)


@pytest.mark.parametrize("width", [500, 1200])
def test_the_page_can_be_drawn_at_phone_and_desktop_width(chromium, site, tmp_path, width):
    picture = tmp_path / "page.png"
    url = f"http://127.0.0.1:{site.server_port}/index.html"
    run(chromium, tmp_path / "b", f"--window-size={width},900", f"--screenshot={picture}", url)
    data = picture.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and int.from_bytes(data[16:20], "big") == width
    assert len(data) > 8000  # an empty page compresses to far less
