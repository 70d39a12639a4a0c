"""Makes or refreshes .venv: `python3 scripts/make_venv.py`. Standard library only; quiet if all is well.

A plain Debian has neither ensurepip nor, often, pip. So pip comes from the first of: ensurepip, the wheel
that Debian keeps, a pip of this interpreter, and (as root) Debian's package of that wheel.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time

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
    _install(_pip())
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


def _pip() -> list[str]:
    """A command that acts as the new environment's pip."""
    if importlib.util.find_spec("ensurepip"):
        done = subprocess.run([PYTHON, "-m", "ensurepip", "--default-pip"], capture_output=True, check=False)
        if done.returncode == 0:
            return [PYTHON, "-m", "pip"]
    wheel = _debians_wheel()
    if not wheel and importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", PYTHON]
    if not wheel:
        _install_debians_wheel()
        wheel = _debians_wheel()
    if not wheel:
        sys.exit(
            _fail("there is no pip here; install python3-venv with your system's packages, then try again")
        )
    return [PYTHON, os.path.join(wheel, "pip")]


def _debians_wheel() -> str:
    wheels = sorted(glob.glob("/usr/share/python-wheels/pip-*.whl"))
    return wheels[-1] if wheels else ""


def _install_debians_wheel() -> None:
    """As root on Debian, which keeps pip in a package of its own; elsewhere nothing happens."""
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print("Installing Debian's pip (python3-pip-whl) ...", file=sys.stderr, flush=True)
    for argv in (["update"], ["install", "-y", "--no-install-recommends", "python3-pip-whl"]):
        subprocess.run(
            ["apt-get", "-qq", *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False
        )


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
