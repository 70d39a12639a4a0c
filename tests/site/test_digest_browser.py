"""The digest in a real Chromium: it renders, runs nothing, and asks for nothing from elsewhere."""

import functools
import http.server
import threading

import pytest

from gitmem.memory.digest import select
from gitmem.memory.memory import Memory
from gitmem.memory.sharing import Rules
from gitmem.site.build import build

BODY = (
    "First *line* with `code`.\n\n- item <script>document.title = 'ran'</script>\n\n"
    "<img src=https://elsewhere.example/x.png onerror=\"document.title='ran'\">\n\n"
    "[web](https://elsewhere.example/)\n\n```\n" + "a long line of code that does not break " * 8 + "\n```\n"
)
WIDTHS = (390, 1280)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def memory(number, **fields):
    fixed = {"id": f"01KAGFWXW0ABCDEFGHJKM{number:05d}", "created": "2026-01-01T00:00:00Z", "share": True}
    return Memory(**{**fixed, **fields})


def digest():
    told = {"kind": "summary", "source": "consolidation", "tags": ("digest",)}
    return select(
        [
            memory(1, title="Shown", body=BODY, project="shop", tags=("release",)),
            memory(2, body="W" * 300, project="p" * 100),
            memory(3, body="The story of it all.", title="Story", **told),
        ],
        Rules(),
        "2026-11-20T07:00:00Z",
    )


@pytest.fixture
def site(tmp_path):
    """The address of a digest that is served as its own address says."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        base = f"http://127.0.0.1:{server.server_port}"
        for name, data in build(digest(), 8000, base).items():
            (folder / name).write_bytes(data)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield base
        server.shutdown()


PAGES = ["index.html", "project-shop.html", "m-M00001.html", "m-M00002.html"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_asks_for_its_style_alone_and_fits_the_screen(browser, site, tmp_path, page, dark, width):
    tab = browser.page(f"{site}/{page}", width, 900, dark=dark)
    assert set(tab.asked()) - {f"{site}/favicon.ico"} == {f"{site}/{page}", f"{site}/style.css"}
    assert not [said for said in tab.complaints() if "favicon" not in said and "404" not in said]
    assert (
        tab.run("document.title") != "ran"
        and tab.run("document.scripts.length + document.images.length") == 0
    )
    assert tab.run("document.documentElement.scrollWidth") <= width
    red, green, blue = map(int, tab.run("getComputedStyle(document.body).backgroundColor")[4:-1].split(","))
    assert (max(red, green, blue) < 60) if dark else (min(red, green, blue) > 240)
    assert len(tab.screenshot(tmp_path / "page.png")) > 8000  # an empty page compresses to far less


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read_against_its_background(browser, site, dark):
    """The contrast that WCAG 2 asks for, 4.5 to 1, for every element that holds words."""
    tab = browser.page(f"{site}/project-shop.html", 390, dark=dark)
    assert tab.run(_CONTRAST) == []


_CONTRAST = """
(() => {
  const light = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => { x /= 255;
    return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 });
    return .2126*v[0] + .7152*v[1] + .0722*v[2] };
  const behind = e => { while (e) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c)) return c; e = e.parentElement } return 'rgb(255,255,255)' };
  return [...document.body.querySelectorAll('*')].filter(e => [...e.childNodes].some(n => n.nodeType === 3
    && n.data.trim())).map(e => { const [a, b] = [light(getComputedStyle(e).color), light(behind(e))]
    .sort((x, y) => y - x); return [e.tagName, (a + .05) / (b + .05)] }).filter(([, ratio]) => ratio < 4.5);
})()
"""


def test_without_scripts_the_digest_still_shows_and_leads_on(browser, site):
    tab = browser.page(f"{site}/index.html", 390, script=False)
    tree = tab.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
    page = tab.call("DOM.getOuterHTML", nodeId=tree)["outerHTML"]
    assert "The story of it all." in page and f'href="{site}/project-shop.html"' in page
    assert "<script" not in page and "&lt;script&gt;" not in page.split("<main>")[0]


def test_a_saved_folder_opens_without_a_server(browser, tmp_path):
    for name, data in build(digest(), 8000).items():
        (tmp_path / name).write_bytes(data)
    tab = browser.page(f"file://{tmp_path}/index.html", 1280)
    assert tab.run("getComputedStyle(document.body).maxWidth") != "none"  # the style was let in
    tab.run("document.querySelector('.projects a[href=\"project-shop.html\"]').click()")
    tab.until("document.querySelector('h1')?.textContent === 'shop'")
