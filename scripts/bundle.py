"""Puts age-encryption into templates/site/remember.html: `python scripts/bundle.py [--check | --page]`.

The versions and hashes of all that is bundled stand in scripts/remember/package-lock.json; npm refuses what
does not fit them. With --check nothing is written, and a page that differs gives 1. With --page only the
hashes of the page's own script and style are renewed, which needs neither npm nor a network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, "templates", "site", "remember.html")
PARTS = os.path.join(ROOT, "scripts", "remember")
ABSENT = ("@noble/post-quantum/hybrid.js", "@noble/curves/nist.js", "@noble/hashes/scrypt.js")
_BUNDLE = re.compile(r'(<script id="age">)(.*?)(</script>)', re.DOTALL)
_OWNER = r"(?m)^Copyright.*$"
_POLICY = re.compile(r"(script-src|style-src)(?: 'sha256-[^']+')*(?=;)")


def read(path: str) -> str:
    """The text of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def bundle() -> str:
    """age-encryption and what it stands on, as one script with its licences, from the locked versions."""
    with tempfile.TemporaryDirectory() as folder:
        for name in os.listdir(PARTS):
            shutil.copy(os.path.join(PARTS, name), folder)
        _run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        esbuild = os.path.join("node_modules", ".bin", "esbuild")
        quiet = ["--charset=ascii", "--legal-comments=none", "--log-level=error"]
        options = ["--bundle", "--minify", "--format=iife", "--target=es2022", *quiet]
        aliases = [f"--alias:{name}=./absent.js" for name in ABSENT]
        code = _run(folder, esbuild, "entry.js", *options, *aliases)
        if "</script" in code.lower():
            raise SystemExit("The bundle would end its own script element.")
        return f"\n/*!\n{_licences(folder)}*/\n{code.strip()}\n"


def renewed(page: str, script: str | None = None) -> str:
    """The page with that bundle (None: the one it has), and with the hashes of its scripts and styles."""
    if script is not None:
        page = _BUNDLE.sub(lambda found: found[1] + script + found[3], page, count=1)
    hashes = {
        "script-src": _hashes(page, r"<script(?: [^>]*)?>(.*?)</script>"),
        "style-src": _hashes(page, r"<style>(.*?)</style>"),
    }
    return _POLICY.sub(lambda found: f"{found[1]} {hashes[found[1]]}", page)


def _hashes(page: str, pattern: str) -> str:
    digests = (hashlib.sha256(text.encode()).digest() for text in re.findall(pattern, page, re.DOTALL))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def _licences(folder: str) -> str:
    """Name, version and licence of each bundled package; a text that several share stands there once."""
    lock = json.loads(read(os.path.join(folder, "package-lock.json")))["packages"]
    by_text: dict[str, list[str]] = {}
    for place, entry in sorted(lock.items()):
        if place.count("node_modules/") != 1 or entry.get("dev") or "post-quantum" in place:
            continue
        text = read(os.path.join(folder, place, "LICENSE")).replace("\r\n", "\n").strip()
        name = f"{place.removeprefix('node_modules/')} {entry['version']}"
        if text.startswith("The MIT License"):
            name += f" - {'; '.join(re.findall(_OWNER, text))}"
            text = re.sub(rf"{_OWNER}\n+", "", text)
        by_text.setdefault(text, []).append(name)
    blocks = ["\n".join(names) + "\n\n" + text + "\n" for text, names in by_text.items()]
    return "\n".join(blocks)


def _run(folder: str, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:2])} failed:\n{done.stderr}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """0 when the page is, or was made, what it should be."""
    page = read(PAGE)
    wanted = renewed(page, None if "--page" in arguments else bundle())
    if page == wanted:
        return 0
    if "--check" in arguments:
        print(
            "remember.html is not as it should be. Run: python scripts/bundle.py",
            file=sys.stderr,
        )
        return 1
    with open(PAGE, "w", encoding="utf-8", newline="\n") as file:
        file.write(wanted)
    print("templates/site/remember.html is written anew.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
