"""The actions that the workflow files use, stood in by Python; each only at the commit that is pinned."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DEPLOY = "actions/deploy-pages@cd2ce8fcbc39b97be8ca5fce6e763baed58fa128"


class ActionFailedError(Exception):
    """The step fails."""


def _checkout(machine: Any, given: dict[str, str]) -> dict[str, str]:
    """A real fetch of one commit, or of a branch, with the token in the environment of git alone."""
    place = machine.workspace / given.get("path", ".")
    place.mkdir(exist_ok=True)
    ref = given.get("ref") or machine.run.sha
    by_commit = re.fullmatch(r"[0-9a-f]{40}", ref)
    want = f"+{ref if by_commit else f'refs/heads/{ref}'}:refs/remotes/origin/wanted"
    basic = base64.b64encode(f"x-access-token:{given.get('token', machine.token)}".encode()).decode()
    host = machine.host
    key = f"http.{host.hub.url}/.extraheader"
    env = {**machine.env, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key,
           "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}"}  # fmt: skip
    url = f"{host.hub.url}/{given.get('repository', host.repo.full_name)}"
    fetch = ["fetch", "-q", "--no-tags", "--depth=1", "origin", want]
    out = ["checkout", "-q", "--detach", "refs/remotes/origin/wanted"]
    steps = [["init", "-q"], ["remote", "add", "origin", url], fetch, out]
    for step in steps:
        done = subprocess.run(
            ["git", "-C", place, *step], env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ActionFailedError(f"The process 'git' failed with exit code {done.returncode}")
    if given.get("persist-credentials", "true") != "false":
        subprocess.run(
            ["git", "-C", place, "config", key, f"AUTHORIZATION: basic {basic}"], env=env, check=True
        )
    return {}


def _upload(machine: Any, given: dict[str, str]) -> dict[str, str]:
    """One file as an artifact; the log has its name and size, not what is in it."""
    path = Path(given["path"])
    if not path.is_file():
        if given.get("if-no-files-found") == "error":
            raise ActionFailedError("No files were found with the provided path.")
        return {}
    kept = machine.folder.parent / f"artifact-{machine.run.id}-{given['name']}"
    kept.mkdir()
    shutil.copy(path, kept / path.name)
    machine.run.artifacts[given["name"]] = kept
    machine.say(f"With the provided path, there will be 1 file uploaded\nIt has {path.stat().st_size} bytes")
    return {}


def _deploy(machine: Any, _: dict[str, str]) -> dict[str, str]:
    """The artifact takes the place of the whole site."""
    rights = machine.spec.get("permissions", {})
    if (rights.get("pages"), rights.get("id-token")) != ("write", "write"):
        raise ActionFailedError('Ensure GITHUB_TOKEN has permission "id-token: write".')
    if machine.spec.get("environment") != "github-pages" or "github-pages" not in machine.run.artifacts:
        raise ActionFailedError('No artifacts named "github-pages" were found for this workflow run.')
    if machine.host.repo.pages is None:
        raise ActionFailedError(
            "Failed to create deployment (status: 404). Ensure GitHub Pages has been enabled."
        )
    with tarfile.open(machine.run.artifacts["github-pages"] / "artifact.tar") as archive:
        found = {one.name.removeprefix("./"): archive.extractfile(one) for one in archive if one.isfile()}
        machine.host.site = {name: file.read() for name, file in found.items() if file}
    machine.say("Reported success!")
    return {}


ACTIONS: dict[str, Callable[[Any, dict[str, str]], dict[str, str]]] = {
    CHECKOUT: _checkout,
    UPLOAD: _upload,
    DEPLOY: _deploy,
}
