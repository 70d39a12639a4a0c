"""The page that seals, in a real browser: what is typed arrives as a memory, and nothing else leaves it."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import http.server
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import parts
from gitmem.flows.inbox import MAX_URL, page
from gitmem.memory.letter import SEALED_MARK
from gitmem.vault.inbox import Inbox
from gitmem.vault.keys import Identity

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "templates" / "site" / "remember.html"
KEY = Inbox(Identity(bytes(range(32))), "00112233445566778899aabbccddeeff").recipient
READY = "document.documentElement.dataset.state === 'ready'"
CHINESE = "".join(
    f"第{n}条:人工智能的记忆应当属于它的主人,而不是某一家公司{chr(0x4E00 + n * 7 % 20000)}。"
    for n in range(900)
)
RARE = "".join(chr(0x4E00 + (n * 7919) % 20900) for n in range(9000))  # hardly compresses


class Site:
    """A web host that writes down what it is asked for."""

    def __init__(self, content: bytes) -> None:
        asked: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200 if self.path == "/remember.html" else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.asked = asked
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/remember.html"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def site():
    running = Site(page())
    yield running
    running.server.shutdown()
    running.server.server_close()


def links(tab):
    return tab.run("[...document.querySelectorAll('#open[href], #parts a')].map(a => a.href)")


def submit(rig, link):
    """What GitHub does with a link on which the owner presses the button."""
    place = urlsplit(link)
    assert place.path == "/ada/memory/issues/new"
    query = parse_qs(place.query)
    assert set(query) == {"title", "body"}
    return rig.issue(query["title"][0], query["body"][0])


def address(rig):
    """The address as `gitmem inbox link` gives it, behind #."""
    return rig.owner.run("inbox", "link", "https://any.example/remember.html").out.strip().partition("#")[2]


def test_text_sealed_in_the_page_arrives_as_a_memory_and_the_page_asks_for_nothing(rig, browser, site):
    tab = browser.page(f"{site.url}#{address(rig)}", 390, 844)
    tab.fill("text", "The staging database is read-only on Fridays.\nSwordfish 🦔 \x1b[31m")
    tab.fill("title", "Staging")
    tab.fill("tags", "ops, two words, #db")
    tab.until(READY)
    [link] = links(tab)
    issue = submit(rig, link)
    assert issue.title == "Remember: sealed text"
    assert issue.body.startswith(SEALED_MARK + "\n") and "wordfish" not in link
    tab.run("document.getElementById('copy').click()")
    tab.until("document.getElementById('said').textContent.includes('cop') || "
              "document.getElementById('copy').textContent === 'Copied'")  # fmt: skip
    assert set(tab.asked()) == {site.url}
    assert set(site.asked) == {"/remember.html"}
    assert tab.complaints() == []
    assert rig.counts() == (1, 1, 0)
    [memory] = rig.memories()
    assert memory["title"] == "Staging"
    assert memory["tags"] == ["ops", "two-words", "db"]
    assert memory["body"].startswith("The staging database is read-only on Fridays.\nSwordfish 🦔")
    assert memory["trust"] == "inbox"


@pytest.mark.parametrize("text", [CHINESE, RARE], ids=["prose", "rare"])
def test_long_chinese_text_is_split_or_copied_and_arrives_whole(rig, browser, text):
    tab = browser.page(f"{PAGE.as_uri()}#{address(rig)}")
    tab.fill("text", text)
    tab.fill("title", "长文")
    tab.until(READY)
    found = links(tab)
    assert len(found) > 1
    assert max(map(len, found)) <= MAX_URL
    for link in found:
        submit(rig, link)
    rig.issue("whatever", tab.run("document.getElementById('sealed').value"))  # the way by the clipboard
    assert rig.counts() == (len(found) + 1, len(found) + 1, 0)
    came = rig.memories()
    numbered = {memory["title"]: memory["body"] for memory in came}
    assert "".join(numbered[f"长文 ({n}/{len(found)})"] for n in range(1, len(found) + 1)) == text
    assert numbered["长文"] == text


def test_a_text_that_fits_no_issue_is_not_offered_to_copy(browser):
    tab = browser.page(f"{PAGE.as_uri()}#ada/memory&{KEY}")
    tab.fill("text", "".join(chr(0x4E00 + (n * 7919) % 20900) for n in range(28_000)))
    tab.until(READY)
    assert tab.run("document.getElementById('copy').disabled") is True
    assert len(links(tab)) > 10


def test_a_browser_without_compression_or_a_secure_context_seals_as_well(rig, browser, site):
    tab = browser.page("about:blank")
    tab.call("Page.addScriptToEvaluateOnNewDocument", source=(
        "delete globalThis.CompressionStream; Object.defineProperty(crypto, 'subtle', {value: undefined});"
    ))  # fmt: skip
    tab.browser.events.clear()
    tab.call("Page.navigate", url=f"{site.url}#{address(rig)}")
    tab.until_event("Page.loadEventFired")
    tab.fill("text", "old browser")
    tab.until(READY)
    submit(rig, links(tab)[0])
    rig.ingest()
    assert [memory["body"] for memory in rig.memories()] == ["old browser"]


def test_a_link_made_before_the_last_edit_cannot_be_followed(browser):
    tab = browser.page(f"{PAGE.as_uri()}#ada/memory&{KEY}")
    tab.fill("text", "first")
    tab.until(READY)
    assert tab.run("document.getElementById('text').value='x'; "
                   "document.getElementById('text').dispatchEvent(new Event('input')); "
                   "document.getElementById('open').hasAttribute('href')") is False  # fmt: skip


BROKEN = (
    "", "ada/memory", "ada/memory&age1xyz", "ada/memory&{key}x", "ada&{key}", "a/b/c/d&{key}", "../..&{key}",
    "javascript:x/ada/memory&{key}", "evil.example/@x/ada/memory&{key}", "ada/memory&{key}&more", "%ff&{key}",
)  # fmt: skip


def test_a_damaged_link_is_explained_and_nothing_can_be_written(browser):
    flipped = KEY[:-1] + ("q" if KEY[-1] != "q" else "p")
    for given in [*(one.format(key=KEY) for one in BROKEN), f"ada/memory&{flipped}"]:
        tab = browser.page(f"{PAGE.as_uri()}#{given}")
        tab.until("!document.getElementById('trouble').hidden")
        assert tab.run("document.getElementById('form').hidden") is True, given
        assert "gitmem inbox link" in tab.run("document.getElementById('why').textContent") or given.endswith(
            flipped
        )


def test_a_page_of_a_vault_needs_no_link_and_obeys_none(rig, browser, tmp_path):
    file = tmp_path / "remember.html"
    rig.owner.run("inbox", "page", str(file))
    other = "eve/trap&" + address(rig).partition("&")[2]
    tab = browser.page(f"{file.as_uri()}#{other}")
    tab.fill("text", "mine")
    tab.until(READY)
    submit(rig, links(tab)[0])
    rig.ingest()
    assert [memory["body"] for memory in rig.memories()] == ["mine"]
    assert tab.complaints() == []


def test_an_enterprise_server_is_named_in_the_link(browser):
    tab = browser.page(f"{PAGE.as_uri()}#git.example.org/ada/memory&{KEY}")
    tab.fill("text", "there")
    tab.until(READY)
    assert links(tab)[0].startswith("https://git.example.org/ada/memory/issues/new?title=")
    assert "git.example.org/ada/memory" in tab.run("document.getElementById('where').textContent")


def test_without_javascript_the_page_says_so(browser):
    tab = browser.page(PAGE.as_uri(), script=False)
    text = tab.call("DOM.getOuterHTML", nodeId=tab.call("DOM.getDocument")["root"]["nodeId"])["outerHTML"]
    assert "This page needs JavaScript" in text
    assert tab.complaints() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_the_page_fits_phones_and_desktops_in_light_and_dark(browser, tmp_path, width, dark):
    tab = browser.page(f"{PAGE.as_uri()}#ada/memory&{KEY}", width, 844, dark=dark)
    tab.fill("text", RARE)
    tab.until(READY)
    assert tab.run("document.documentElement.scrollWidth") <= width
    small = tab.run("[...document.querySelectorAll('button, .button, input')].filter(e => e.offsetParent && "
                    "e.getBoundingClientRect().height < 40).map(e => e.outerHTML)")  # fmt: skip
    assert small == []
    colours = tab.run("['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])")
    light, paper = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert (light > paper) is dark
    assert len(tab.screenshot(tmp_path / "page.png")) > 20_000


def test_every_field_has_a_label_and_every_button_a_name(browser):
    tab = browser.page(f"{PAGE.as_uri()}#ada/memory&{KEY}")
    tab.call("Accessibility.enable")
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    wanted = {"textbox", "button", "link"}
    seen = [
        (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node
    ]
    controls = [(role, name) for role, name in seen if role in wanted]
    assert len(controls) >= 5
    assert all(name for _, name in controls), controls


# The file.


class _Parts(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.policy, self.outside, self.handlers = "", [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag in ("script", "link", "img", "iframe", "form"):
            self.outside += [values[name] for name in ("src", "href", "action") if name in values]
        self.handlers += [name for name in values if name.startswith("on") or name == "style"]


def test_the_policy_lets_in_these_scripts_alone_and_no_request():
    text = PAGE.read_text(encoding="utf-8")
    found = _Parts()
    found.feed(text)
    rules = dict(rule.strip().partition(" ")[::2] for rule in found.policy.split(";"))
    assert (
        rules["default-src"] == rules["connect-src"] == rules["form-action"] == rules["base-uri"] == "'none'"
    )
    for name, pattern in (
        ("script-src", r"<script(?: [^>]*)?>(.*?)</script>"),
        ("style-src", r"<style>(.*?)</style>"),
    ):
        digests = [hashlib.sha256(part.encode()).digest() for part in re.findall(pattern, text, re.DOTALL)]
        assert rules[name].split() == [f"'sha256-{base64.b64encode(one).decode()}'" for one in digests]
    assert found.outside == ["data:,"]
    assert found.handlers == []
    assert not re.search(
        r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|localStorage|eval|innerHTML)\b", _own(text)
    )


def _own(text):
    return text.rpartition("<script>")[2]


def test_the_bundle_names_what_it_holds_and_under_which_licence():
    text = PAGE.read_text(encoding="utf-8").partition('<script id="age">')[2].partition("*/")[0]
    for words in (
        "age-encryption 0.3.1",
        "@noble/curves 2.",
        "@scure/base 2.",
        "The MIT License",
        "The age Authors",
    ):
        assert words in text
    assert PAGE.stat().st_size < 90_000


def test_the_bundle_is_what_the_locked_versions_give(real_environment):
    if shutil.which("npm") is None or shutil.which("node") is None:
        parts.missing("node", "no npm on the PATH")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "bundle.py", "--check"],
        env=dict(real_environment), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|network", done.stderr):
        parts.missing("node", "npm reaches no registry from here")
    assert done.returncode == 0, done.stderr
