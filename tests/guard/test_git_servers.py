"""The servers that stand in for a git host, tried with plain git before gitmem relies on them."""

import os
import subprocess

import pytest


def git(*args, cwd=None, env=None, check=True):
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        ["git", *map(str, args)], cwd=cwd, env=environment, check=check, capture_output=True, text=True
    )


def commit(folder, name, text):
    folder.mkdir(exist_ok=True)
    if not (folder / ".git").exists():
        git("init", "-q", "-b", "main", folder)
    (folder / name).write_text(text)
    git("add", name, cwd=folder)
    git("commit", "-q", "-m", "a change", cwd=folder)


def round_trip(url, tmp_path):
    commit(tmp_path / "a", "file", "hello\n")
    git("push", "-q", url, "main", cwd=tmp_path / "a")
    git("clone", "-q", url, tmp_path / "b")
    assert (tmp_path / "b" / "file").read_text() == "hello\n"
    commit(tmp_path / "b", "second", "from b\n")
    git("push", "-q", "origin", "main", cwd=tmp_path / "b")
    git("pull", "-q", url, "main", cwd=tmp_path / "a")
    assert (tmp_path / "a" / "second").read_text() == "from b\n"


def test_http_clones_pushes_and_pulls(http_remote, tmp_path):
    round_trip(http_remote.create(), tmp_path)


def test_http_takes_a_chunked_push_larger_than_the_post_buffer(http_remote, tmp_path):
    url = http_remote.create()
    commit(tmp_path / "a", "noise", os.urandom(3 << 20).hex())
    done = git(
        "-c", "http.postBuffer=65536", "push", url, "main", cwd=tmp_path / "a", env={"GIT_CURL_VERBOSE": "1"}
    )
    assert "Transfer-Encoding: chunked" in done.stderr
    git("clone", "-q", url, tmp_path / "b")
    assert (tmp_path / "b" / "noise").read_bytes() == (tmp_path / "a" / "noise").read_bytes()


def test_http_refuses_without_the_token_and_serves_with_it(http_remote_with_token, tmp_path):
    url = http_remote_with_token.create()
    commit(tmp_path / "c", "file", "hello\n")
    assert git("push", "-q", url, "main", cwd=tmp_path / "c", check=False).returncode != 0
    round_trip(http_remote_with_token.with_token(url), tmp_path)


def test_http_answers_404_for_a_repository_that_is_not_there(http_remote):
    done = git("ls-remote", f"{http_remote.base}/none.git", check=False)
    assert done.returncode == 128
    assert "not found" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="sshd is a service on Windows")
def test_ssh_clones_pushes_and_pulls(ssh_remote, tmp_path):
    round_trip(ssh_remote.create(), tmp_path)
