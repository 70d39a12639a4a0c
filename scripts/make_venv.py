"""Makes or refreshes .venv: `python3 scripts/make_venv.py`. Standard library only; quiet if all is well.

A plain Debian has neither ensurepip nor, often, pip. So pip comes from the first of: ensurepip, the wheel
that Debian keeps, a pip of this interpreter, and the package index itself (checked against its hash).
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")
STAMP = os.path.join(VENV, ".stamp")


def main() -> int:
    """Bring .venv in step with pyproject.toml; 0 when it is."""
    if sys.version_info < (3, 11):
        return _fail("gitmem needs Python 3.11 or newer; this is " + sys.version.split()[0])
    wanted = _wanted()
    if _read(STAMP) == wanted and os.path.exists(PYTHON):
        return 0
    began = time.monotonic()
    print("Setting up .venv (once; about a minute) ...", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV])
    with tempfile.TemporaryDirectory() as folder:
        _install(_pip(folder))
    with open(STAMP, "w", encoding="utf-8") as stamp:
        stamp.write(wanted)
    print(f"Ready in {time.monotonic() - began:.0f} s.", file=sys.stderr, flush=True)
    return 0


def _wanted() -> str:
    mark = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for name in ("pyproject.toml", os.path.join("scripts", "make_venv.py")):
        with open(os.path.join(ROOT, name), "rb") as file:
            mark.update(file.read())
    return mark.hexdigest()


def _install(pip: list[str]) -> None:
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        tools = tomllib.load(file)["dependency-groups"]["dev"]
    _run([*pip, "install", "--quiet", "--editable", ROOT, *tools])


def _pip(folder: str) -> list[str]:
    """A command that acts as the new environment's pip."""
    if importlib.util.find_spec("ensurepip"):
        done = subprocess.run([PYTHON, "-m", "ensurepip", "--default-pip"], capture_output=True, check=False)
        if done.returncode == 0:
            return [PYTHON, "-m", "pip"]
    wheels = sorted(glob.glob("/usr/share/python-wheels/pip-*.whl"))
    wheel = wheels[-1] if wheels else ""
    if not wheel and importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", PYTHON]
    wheel = wheel or _pip_from_index(folder)
    return [PYTHON, os.path.join(wheel, "pip")]


def _pip_from_index(folder: str) -> str:
    index = os.environ.get("PIP_INDEX_URL", "").rstrip("/") + "/pip/"
    try:
        page = _get(index).decode()
        links = re.findall(r'href="([^"]*/(pip-[0-9.]+-py3-none-any\.whl)#sha256=([0-9a-f]{64}))"', page)
        link, name, digest = max(links, key=lambda found: [int(n) for n in re.findall(r"\d+", found[1])[:-1]])
        wheel = _get(urllib.parse.urljoin(index, link))
    except (OSError, ValueError) as error:
        sys.exit(_fail(f"no pip here, and none came from the index ({error}); try: apt install python3-venv"))
    if hashlib.sha256(wheel).hexdigest() != digest:
        sys.exit(_fail("the pip that the package index sent does not match its hash"))
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(wheel)
    return path


def _get(url: str) -> bytes:
    if not url.startswith("https://"):
        raise ValueError("the package index is not an https address")
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def _run(argv: list[str]) -> None:
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        sys.exit(_fail("this did not work: " + " ".join(argv)))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def _fail(message: str) -> int:
    print(f"set-up: {message}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
