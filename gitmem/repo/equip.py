"""What a vault's repository needs: readable history, no file mangled by git, no rewritten commits."""

from __future__ import annotations

import os

from gitmem.repo.git import Git
from gitmem.repo.places import read_text
from gitmem.repo.state import swap

# Committed, for clones without gitmem.
ATTRIBUTES = "memories/** -text -merge diff=gitmem\n.gitmem/*.age -text -merge\n"
# Local, and above every committed .gitattributes: no filter may touch ciphertext, no text merge destroy it.
_LOCAL = (
    "memories/** -text -filter -ident -working-tree-encoding diff=gitmem merge=gitmem\n"
    ".gitmem/** -text -filter -ident -working-tree-encoding\n"
)


def settings(branch: str, command: str, vault_id: str) -> dict[str, str]:
    """Configuration name → value; ``command`` is the shell words that run gitmem."""
    short = branch.removeprefix("refs/heads/")
    return {
        "diff.gitmem.textconv": f"{command} textconv {vault_id}",
        "diff.gitmem.cachetextconv": "false",  # a cache is plaintext in refs, which a mirror push uploads
        "merge.gitmem.name": "gitmem",
        "merge.gitmem.driver": f"{command} merge-driver {vault_id} %O %A %B",
        "pull.rebase": "false",  # a rebase makes seals stale
        f"branch.{short}.rebase": "false",  # wins over pull.rebase where branch.autoSetupRebase was set
        "core.filesRefLockTimeout": "3000",
        "core.logAllRefUpdates": "always",
    }


def equip(git: Git, common_dir: str, branch: str, command: str, vault_id: str) -> None:
    """Set the local configuration and attributes of one repository; safe to repeat.

    Raises:
        GitFailed, OSError: they cannot be written.
    """
    for name, value in settings(branch, command, vault_id).items():
        git.run("config", "--local", name, value)
    os.makedirs(os.path.join(common_dir, "info"), exist_ok=True)
    swap(os.path.join(common_dir, "info", "attributes"), _local_attributes(common_dir).encode())


def with_attributes(content: bytes) -> bytes:
    """A ``.gitattributes`` with the committed lines in it: as it was where it has them, else at its end."""
    ours = ATTRIBUTES.encode()
    if ours in content:
        return content
    return content + (b"" if not content or content.endswith(b"\n") else b"\n") + ours


def _local_attributes(common_dir: str) -> str:
    """The text of ``info/attributes`` with ours last (the last match wins) and the user's own lines kept."""
    there, ours = read_text(os.path.join(common_dir, "info", "attributes")), _LOCAL.splitlines()
    return "".join(f"{line}\n" for line in there.splitlines() if line and line not in ours) + _LOCAL


def missing(git: Git, common_dir: str, branch: str, command: str, vault_id: str) -> list[str]:
    """The names of what ``equip`` would change, for doctor."""
    found = []
    for name, value in settings(branch, command, vault_id).items():
        if git.run("config", "--local", "--get", name, ok=(0, 1)).decode().rstrip("\n") != value:
            found.append(name)
    right = read_text(os.path.join(common_dir, "info", "attributes")).endswith(_LOCAL)
    return found if right else [*found, "info/attributes"]
