"""An own sshd on a high loopback port, with throw-away keys, so that ssh remotes are tried for real."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import parts


@dataclass(frozen=True, slots=True)
class SshRemote:
    """A running sshd, and the folder that new repositories are made in."""

    user: str
    port: int
    folder: Path

    def create(self, name: str = "vault.git") -> str:
        """A new empty bare repository; its URL."""
        path = self.folder / name
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"


@pytest.fixture
def ssh_remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshRemote]:
    """A git server over ssh; ``GIT_SSH_COMMAND`` of this test has its keys."""
    program = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if program is None or shutil.which("ssh") is None:
        parts.missing("sshd", "no OpenSSH server and client here")
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    port = _free_port()
    _write_keys_and_config(folder, port)
    log = folder / "log"
    server = subprocess.Popen(
        [str(program), "-D", "-f", folder / "config", "-E", log], stdin=subprocess.DEVNULL
    )
    try:
        _wait(port, server, log)
        monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -F {folder / 'client'}")
        repositories = tmp_path / "ssh-remotes"
        repositories.mkdir()
        yield SshRemote(getpass.getuser(), port, repositories)
    finally:
        server.terminate()
        server.wait(10)


def _write_keys_and_config(folder: Path, port: int) -> None:
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'authorized'}\nAuthenticationMethods publickey\n"
        "PermitRootLogin prohibit-password\nStrictModes no\nUsePAM no\n"
    )
    (folder / "client").write_text(
        f"Host *\n  BatchMode yes\n  IdentitiesOnly yes\n  IdentityFile {folder / 'user'}\n"
        f"  UserKnownHostsFile {folder / 'known'}\n  StrictHostKeyChecking yes\n"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            break
        time.sleep(0.05)
    parts.missing("sshd", "it did not start: " + (log.read_text()[-300:] if log.exists() else "no log"))
