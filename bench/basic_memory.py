"""basic-memory from the package index, asked as it is asked: through the search tool that its server and its
command line share.

It needs Python 3.12 or newer and gets a virtual environment of its own. Its full-text mode is measured. Its
vector modes need weights that its embedder fetches from a model hub at first use; without a network they do
not start.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

from bench.plaintext import Answer, Asked, Plaintext, Run, folder_size, whole

# Newest first: the first one whose dependencies the index has.
_VERSIONS = ("basic-memory", "basic-memory==0.22.1")
_EVERYTHING = "everything"
_DRIVER = """
import asyncio, json, sys, time
from loguru import logger
logger.remove()
from basic_memory.mcp.tools import search_notes
async def main():
    for text, project in json.load(sys.stdin):
        start = time.perf_counter()
        found = await search_notes(query=text, project=project, search_type="text", page_size=10,
                                   output_format="json", entity_types=["entity"])
        hits = found["results"] if isinstance(found, dict) else []
        print(json.dumps([[hit["file_path"] for hit in hits], (time.perf_counter() - start) * 1000]))
asyncio.run(main())
"""


class BasicMemory:
    """One project per conversation and one for all of them, synced from the plain files."""

    name = "basic-memory"
    units: tuple[str, ...] = ("sessions",)

    def __init__(self, plain: Plaintext, folder: str, environment: str) -> None:
        self._bin = os.path.join(environment, "bin")
        self._plain, self._home = plain, os.path.join(folder, "basic-memory")
        os.makedirs(self._home)
        self._env = {
            **os.environ,
            "HOME": self._home,
            "BASIC_MEMORY_SEMANTIC_SEARCH_ENABLED": "false",
            "LOGFIRE_IGNORE_NO_CONFIG": "1",
        }
        places = {project: plain.place(project) for project in plain.projects} | {_EVERYTHING: plain.folder}
        for project, place in places.items():
            # Two projects may not share a folder, so each has a copy.
            copy = shutil.copytree(place, os.path.join(self._home, "notes", project))
            self._run("project", "add", project, copy)
        self._run("reindex", "--full", "--search")
        self.name = f"basic-memory {self._run('--version').split()[-1]}"

    def answer(self, asked: Sequence[Asked], unit: str) -> Iterator[Answer]:
        """What its search tool returns for every question, in one process."""
        del unit
        call = [os.path.join(self._bin, "python"), "-c", _DRIVER]
        given = json.dumps([(one.text, one.project or _EVERYTHING) for one in asked])
        done = subprocess.run(
            call,
            input=given,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        for line in done.stdout.splitlines():
            paths, milliseconds = json.loads(line)
            keys = [self._plain.session_of(os.path.basename(path)) for path in paths]
            yield Answer(keys, milliseconds)

    def cold(self, asked: Asked) -> Run:
        """Its command line, as a whole process."""
        project = asked.project or _EVERYTHING
        command = os.path.join(self._bin, "basic-memory")
        return whole([command, "tool", "search-notes", asked.text, "--project", project], self._env)

    def disk(self) -> int:
        """Its database and the files of all conversations once."""
        return folder_size(os.path.join(self._home, ".basic-memory")) + folder_size(self._plain.folder)

    def _run(self, *arguments: str) -> str:
        call = [os.path.join(self._bin, "basic-memory"), *arguments]
        done = subprocess.run(call, env=self._env, capture_output=True, text=True, check=True)
        return done.stdout


def installed(cache: str) -> str:
    """The virtual environment with basic-memory in it, made in ``cache`` when it is not there; "" when it
    cannot be.
    """
    place = os.path.join(cache, "basic-memory")
    if os.path.exists(os.path.join(place, "bin", "basic-memory")):
        return place
    python = _python()
    if not python:
        return ""
    subprocess.run([python, "-m", "venv", "--clear", place], check=True)
    for version in _VERSIONS:
        call = [os.path.join(place, "bin", "pip"), "install", "--quiet", version]
        if subprocess.run(call, capture_output=True, check=False).returncode == 0:
            return place
    return ""


def _python() -> str:
    """A Python of 3.12 or newer, "" without one."""
    if sys.version_info >= (3, 12):
        return sys.executable
    named = [shutil.which(f"python3.{minor}") or "" for minor in (12, 13)]
    kept = glob.glob(os.path.expanduser("~/.pyenv/versions/3.1[23].*/bin/python"))
    for found in [*named, *sorted(kept)]:
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
    return ""
