"""Which project a folder belongs to, told from files alone: no git is run for it."""

from __future__ import annotations

import os


def project_of(folder: str, home: str, vault: str) -> str:
    """The project that work in ``folder`` belongs to, or "" for none.

    The last part of the remote's URL when the folder lies in a git repository, else the name of that
    repository's folder, else the folder's own name. Home, the root and the vault itself are no project.
    """
    here, home, vault = (os.path.realpath(path) if path else "" for path in (folder, home, vault))
    if not here or (vault and os.path.join(here, "").startswith(os.path.join(vault, ""))):
        return ""
    root = _repository(here, home)
    if root:
        return _remote_name(_config_of(os.path.join(root, ".git"))) or os.path.basename(root)
    return "" if here == home or os.path.dirname(here) == here else os.path.basename(here)


def _repository(folder: str, home: str) -> str:
    # A repository at the home folder itself holds dotfiles: it is not the project of everything below.
    while folder != home and os.path.dirname(folder) != folder:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        folder = os.path.dirname(folder)
    return ""


def _config_of(git: str) -> str:
    if os.path.isdir(git):
        return _text(os.path.join(git, "config"))
    pointer = _text(git)  # a linked work tree or a submodule: "gitdir: PATH"
    if not pointer.startswith("gitdir:"):
        return ""
    git = os.path.join(os.path.dirname(git), pointer[len("gitdir:") :].strip())
    shared = _text(os.path.join(git, "commondir")).strip()
    return _text(os.path.join(git, shared, "config") if shared else os.path.join(git, "config"))


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def _remote_name(config: str) -> str:
    urls: dict[str, str] = {}
    section = ""
    for line in map(str.strip, config.splitlines()):
        if line.startswith("["):
            section = line
        elif section.startswith('[remote "') and line.partition("=")[0].strip().lower() == "url":
            urls.setdefault(section, line.partition("=")[2].strip().strip('"'))
    url = urls.get('[remote "origin"]') or next(iter(urls.values()), "")
    last = url.rstrip("/").replace("\\", "/").rpartition("/")[2].rpartition(":")[2]
    return last.removesuffix(".git")
