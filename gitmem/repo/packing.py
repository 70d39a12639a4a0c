"""Loose objects are packed behind the writer's back: ten kilobytes of folders per write become a few hundred.

Nothing is ever pruned: an object that no commit holds yet may belong to a writer at work.
"""

from __future__ import annotations

import os
import time

from gitmem.repo.git import Git, GitFailed

_OLD = 3600.0  # seconds after which an unfinished file has no writer any more
_UNFINISHED = "tmp_obj_gitmem_"


def pack(git: Git, common_dir: str) -> None:
    """Pack every loose object, and small packs into larger ones: safe beside readers and writers.

    Raises:
        GitFailed: the disk is full or the like; nothing was lost.
    """
    quiet = ("-c", "pack.threads=1", "repack", "-d", "-l", "-q", "--no-write-bitmap-index")
    try:
        git.run(*quiet, "--geometric=2")  # each object is packed anew only as often as the vault doubles
    except GitFailed:
        git.run(*quiet)  # a git before 2.32 knows no geometric packing
    _remove_unfinished(os.path.join(common_dir, "objects"))


def _remove_unfinished(folder: str) -> None:
    """What writers that were killed left behind, before it became an object."""
    for entry in os.scandir(folder):
        try:
            if entry.name.startswith(_UNFINISHED) and entry.stat().st_mtime < time.time() - _OLD:
                os.unlink(entry.path)
        except OSError:
            continue
