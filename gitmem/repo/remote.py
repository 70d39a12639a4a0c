"""The git remote: what is fetched is only looked at, what is pushed was verified before."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from gitmem.errors import RemoteError
from gitmem.repo.git import Git, printable
from gitmem.repo.places import read_text

NAME = "origin"
_SECTION = r'(?ms)^\s*\[remote "origin"\]\s*$(.*?)(?=^\s*\[|\Z)'
_URL = r"(?mi)^\s*url\s*=\s*(.+?)\s*$"
_LATER = "Your memories are safe here; `gitmem sync` tries again."
# --refmap=: the configured refspecs do not count, which in a mirror clone would move the vault's own branch.
# What git says when it was let in neither by what it got from us nor by what it has itself.
LOCKED_OUT = rb"could not read Username|Authentication failed|error: 40[13]|not found"
_FETCH = ("fetch", "--no-tags", "--no-write-fetch-head", "--refmap=")

# The environment that lets git in; asked again with True once the first was refused.
Access = Callable[[bool], Mapping[str, str]]


class Remote:
    """The remote ``origin`` of one repository."""

    def __init__(self, git: Git, common_dir: str) -> None:
        self._git = git
        self._common_dir = common_dir
        self.access: Access = lambda _: {}  # given at the composition root
        self._env: Mapping[str, str] | None = None

    @property
    def url(self) -> str:
        """Where it is, or "" when there is none; read without a git process."""
        text = read_text(os.path.join(self._common_dir, "config"))
        # two patterns cost a millisecond to compile, which a vault without a remote need not pay
        section = re.search(_SECTION, text) if '"origin"' in text else None
        url = re.search(_URL, section[1]) if section else None
        return url[1].strip('"') if url else ""

    @property
    def shown(self) -> str:
        """Where it is, for people: without a name and password, which may be a token."""
        return re.sub(r"(?i)^(https?://)[^/]*@", r"\1", self.url)

    @property
    def env(self) -> Mapping[str, str]:
        """What git gets to be let in, such as an access token; looked up when the remote is first reached."""
        if self._env is None:
            self._env = self.access(False)
        return self._env

    def fetch(self, branch: str) -> str:
        """Fetch the branch and return its tip on the remote, "" when it has none yet.

        Raises:
            RemoteError: it cannot be reached or refuses.
        """
        followed = tracking(branch)
        status, _, err = self.ask(*_FETCH, NAME, f"+{branch}:{followed}")
        if status == 0:
            return self._git.run("rev-parse", "--verify", followed).decode().strip()
        if b"couldn't find remote ref" in err:
            return ""
        raise explained("reach", err)

    def deepen(self, branch: str, commits: int = 0) -> None:
        """Fetch more history of a shallow clone: that many commits, or with 0 all of it.

        Raises:
            RemoteError: it cannot be reached or refuses.
        """
        how = f"--deepen={commits}" if commits else "--unshallow"
        status, _, err = self.ask(*_FETCH, how, NAME, f"+{branch}:{tracking(branch)}")
        if status:
            raise explained("reach", err)

    def push(self, tip: str, branch: str, instead: str = "") -> bool:
        """Offer ``tip`` without force; False when the remote has moved meanwhile.

        With ``instead``, a purge's one forced push: ``tip`` takes the place of exactly that commit.

        Raises:
            RemoteError: it cannot be reached or refuses for another reason.
        """
        lease = [f"--force-with-lease={branch}:{instead}"] if instead else []
        status, out, err = self.ask("push", "--porcelain", "--no-verify", *lease, NAME, f"{tip}:{branch}")
        if status == 0:
            return True
        line = next(
            (line for line in out.decode("utf-8", "replace").splitlines() if line.startswith("!")), ""
        )
        if "refusing to allow" in line and "workflow" in line:
            raise RemoteError(
                "GitHub does not let this token change workflow files.",
                "Nothing was pushed. `gh auth refresh -s workflow` widens what `gh` has; a token of your own "
                "needs the scope `workflow`, or the permission Workflows.",
            )
        ruled = instead and "[remote rejected] (non-fast-forward)" in line
        if line and not ruled and not re.search(r"hook declined|protected|denied|prohibited|unpack", line):
            return False
        raise explained("push to", err)

    def locks(self, branch: str) -> tuple[str, ...]:
        """Lock files that a killed fetch or push of ours can leave, also in a remote folder on this disk."""
        short = branch.removeprefix("refs/heads/")
        found = [os.path.join(self._common_dir, "refs", "remotes", NAME, f"{short}.lock")]
        found.append(os.path.join(self._common_dir, "shallow.lock"))
        place = self.url.removeprefix("file://")
        if os.path.isabs(place) and os.path.isdir(place):
            bare = place if os.path.isdir(os.path.join(place, "objects")) else os.path.join(place, ".git")
            names = (f"{branch}.lock", "HEAD.lock", "packed-refs.lock")
            found += [os.path.join(bare, name) for name in names]
        return tuple(found)

    def ask(self, *args: str) -> tuple[int, bytes, bytes]:
        """Run a git command that reaches the remote; its exit status, output and error output.

        Raises:
            RemoteError: there is no remote.
        """
        if not self.url:
            raise RemoteError(
                "This vault has no remote.", "`git remote add origin URL` in the vault's folder gives it one."
            )
        ended = self._git.status(*args, env=self.env)
        if ended[0] and re.search(LOCKED_OUT, ended[2]):
            other = self.access(True)
            if other != self.env:
                again = self._git.status(*args, env=other)
                if not (again[0] and re.search(LOCKED_OUT, again[2])):  # else the first refusal says more
                    self._env = other
                    return again
        return ended


def tracking(branch: str) -> str:
    """The ref that keeps the remote's tip of ``branch`` as it was last fetched; both are full ref names."""
    return f"refs/remotes/{NAME}/{branch.removeprefix('refs/heads/')}"


def explained(verb: str, err: bytes) -> RemoteError:
    """What a failed fetch, push or clone means, in our words: a remote's own are not to be printed."""
    text = err.lower()
    reasons = (
        (b"could not resolve host", "its host name was not found (no network?)"),
        (b"authentication failed", "it did not accept the credentials"),
        (b"could not read username", "it asks for credentials and none are set up"),
        (b"permission denied", "it denied access"),
        (b"host key verification failed", "its ssh host key is not known or has changed"),
        (b"does not appear to be a git repository", "there is no git repository at that address any more"),
        (b"repository not found", "there is no such repository, or no access to it"),
        (b"does not exist", "there is no git repository at that address any more"),
        (b"connection refused", "it refused the connection"),
        (b"timed out", "it did not answer in time"),
        (b"hook declined", "a rule there refused the push"),
        (b"denying non-fast-forward", "a rule there refuses to replace commits"),
        (b"protected branch", "a branch rule there refused the push"),
        (b"no space left", "it has no room left"),
    )
    why = next((reason for mark, reason in reasons if mark in text), printable(err))
    return RemoteError(f"Could not {verb} the remote: {why}.", _LATER)
