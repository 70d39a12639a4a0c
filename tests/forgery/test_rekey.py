"""After a rekey the old key opens and seals nothing new; the history stays readable; other devices follow."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import World, accepted, git, refused

from git_server import HttpRemote
from gitmem.errors import WrongKeyError
from gitmem.memory import document
from gitmem.memory.ids import path_of
from gitmem.memory.memory import Memory
from gitmem.repo import commits
from gitmem.vault.keys import Identity, fingerprint
from gitmem.vault.vault import Vault
from machine import Machine

TIME = "2026-11-20T07:00:00Z"
Another = Callable[[], Machine]


def keys(machine: Machine) -> dict[str, Identity]:
    """The key files of a machine: what stands between vault id and suffix → key."""
    folder = machine.home / ".config" / "gitmem" / "keys"
    found = {}
    for path in sorted(folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert "AGE-SECRET-KEY-1" in path.read_text()
        assert "age1" not in path.read_text()  # never the recipient
        found[path.name.partition(".")[2].removesuffix("txt").strip(".")] = Identity.parse(path.read_text())
    return found


def vault_id(machine: Machine) -> str:
    return str(json.loads((machine.git_dir / "gitmem" / "state.json").read_text())["vault"])


def state(machine: Machine, name: str) -> str:
    return str(json.loads((machine.git_dir / "gitmem" / "state.json").read_text())[name])


def code(machine: Machine) -> bytes:
    return machine.run("invite").out.split()[-1].encode()


@pytest.fixture
def pair(another: Another, bare: Path) -> tuple[Machine, Machine]:
    """Two machines of one vault, both up to date, that push only when told."""
    first = another().init("--remote", str(bare))
    first.run("config", "set", "sync.auto", "false")
    first.write("one")
    first.write("two")
    first.run("sync")
    second = another().join(first)
    second.run("config", "set", "sync.auto", "false")
    return first, second


def sealed_by(machine: Machine, identity: Identity, body: str, parent: str, anchor: str = "") -> str:
    """A commit that adds a memory, made by hand with any key: what a thief of that key can push."""
    vault = Vault(identity, vault_id(machine))
    memory = Memory(id="01M7W000000000000000000000", body=body, created=TIME)
    blob = machine.git("hash-object", "-w", "--stdin", data=vault.seal(document.dump(memory))).strip()
    return commit(machine, vault, {path_of(memory.id): blob}, parent, anchor)


def commit(machine: Machine, vault: Vault, files: dict[str, str], parent: str, anchor: str = "") -> str:
    env = {**machine.env, "GIT_INDEX_FILE": str(machine.home / "index-of-a-thief")}

    def run(*args: str, data: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-C", machine.vault, *args], env=env, input=data, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    run("read-tree", parent)
    rows = "".join(f"100644 {oid}\t{path}\n" for path, oid in files.items())
    run("update-index", "--add", "--index-info", data=rows.encode())
    stamp = "gitmem <gitmem@localhost> 1795158000 +0000"
    trailers = [f"Gitmem-Anchor: {anchor}"] if anchor else []
    body = commits.body(run("write-tree"), [parent], stamp, stamp, "write 1 memory", trailers)
    return run("hash-object", "-t", "commit", "-w", "--stdin", "--literally", data=vault.sign(body))


def test_the_old_key_opens_nothing_new_and_the_new_one_everything(
    pair: tuple[Machine, Machine], age_program: str
) -> None:
    machine, _ = pair
    old = keys(machine)[""]
    bodies = machine.bodies()
    tip = machine.git("rev-parse", "HEAD").strip()
    said = machine.run("rekey", "--yes").out
    assert said.startswith("The vault has a new key since")
    after = keys(machine)
    assert after.keys() == {"", fingerprint(old, vault_id(machine))}
    assert after[fingerprint(old, vault_id(machine))] == old
    assert after[""] != old
    assert machine.bodies() == bodies
    written = machine.write("after the rekey")
    new = [machine.vault / path_of(one) for one in (*bodies, written)]
    for path in new:
        for key, opens in ((old, False), (after[""], True)):
            done = subprocess.run(
                [age_program, "-d", "-i", "-", str(path)], input=key.text.encode(), capture_output=True
            )
            assert (done.returncode == 0) is opens, (path, done.stderr)
    changed = machine.git("diff", "--name-only", tip, "HEAD").split()
    assert set(changed) == {".gitmem/vault.toml", *(path_of(one) for one in (*bodies, written))}
    machine.assert_sound("after")
    assert "sealed" in machine.run("verify").out


def test_the_history_below_a_rekey_reads_compares_and_undoes_with_the_retired_key(
    pair: tuple[Machine, Machine],
) -> None:
    machine, _ = pair
    memory = machine.write("first words")
    machine.run("edit", memory, "--body", "second words")
    gone = machine.write("forgotten later")
    machine.run("forget", gone, "--yes")
    marks = machine.git("rev-list", "--reverse", "HEAD").split()
    machine.run("rekey", "--yes")
    machine.run("edit", memory, "--body", "third words")
    for again in range(2):
        assert machine.run("read", memory, "--at", marks[3]).out.endswith("first words\n")
        assert machine.run("read", memory, "--at", marks[4]).out.endswith("second words\n")
        assert machine.run("read", gone, "--at", marks[5]).out.endswith("forgotten later\n")
        shown = machine.run("diff", marks[3], marks[4]).out
        assert "-first words\n+second words" in shown
        assert "third words" in machine.run("diff", marks[4], "HEAD").out
        rows = machine.run("--json", "verify", "--all").json
        assert set(rows["verdicts"]) == {"sealed"}
        subjects = [row["subject"] for row in machine.run("--json", "log", memory).json["commits"]]
        assert subjects[-2:] == ["edit 1 memory", "write 1 memory"]
        if not again:
            machine.run("rekey", "--yes")  # and below two of them
    across = machine.run("diff", f"{machine.git('rev-parse', 'HEAD').strip()}~1", "HEAD").out
    assert across == "No memory changed.\n"  # a rekey only seals them anew
    machine.run("undo", marks[6])  # brings the forgotten one back, sealed with today's key
    assert machine.bodies()[gone] == "forgotten later"
    machine.run("undo", marks[5], code=0)  # its writing undone: gone again
    assert gone not in machine.bodies()
    machine.assert_sound("third")
    assert "first words" in machine.git("log", "-p", "--", "memories")  # git's own log opens it too


def test_without_the_retired_key_the_history_stays_vouched_for_and_closed(
    pair: tuple[Machine, Machine], another: Another
) -> None:
    first, _ = pair
    memory, mark = first.ids()[0], first.git("rev-parse", "HEAD").strip()
    first.run("rekey", "--yes")
    fresh = another().join(first)
    assert fresh.bodies() == first.bodies()
    verdicts = fresh.run("--json", "verify").json["verdicts"]
    assert verdicts == {"vouched": 3, "sealed": 1}
    done = fresh.run("read", memory, "--at", mark, code=None)
    assert done.code in (10, 13)
    assert done.out == ""


@pytest.mark.parametrize("way", ["folder", "http"])
def test_another_device_follows_by_one_command_and_its_unpushed_work_comes_along(
    another: Another, bare: Path, http_remote: HttpRemote, way: str
) -> None:
    first = another().init("--remote", str(bare) if way == "folder" else http_remote.create())
    first.run("config", "set", "sync.auto", "false")
    one, two = first.write("one"), first.write("two")
    first.run("sync")
    second = another().join(first)
    second.run("config", "set", "sync.auto", "false")
    old = keys(second)[""]
    mine = second.write("not pushed")
    second.run("edit", one, "--body", "one, edited there")
    second.run("forget", two, "--yes")
    first.run("edit", one, "--tag", "edited-here")
    first.run("rekey", "--yes")
    theirs = first.write("after it")
    first.run("sync")
    tip = second.git("rev-parse", "HEAD")
    refused = second.run("sync", code=12)
    assert "gitmem join" in refused.err
    assert "--restore" in refused.err
    assert second.git("rev-parse", "HEAD") == tip
    assert set(second.ids()) == {one, mine}  # it goes on by itself
    stale = second.write("and writes, too")
    done = second.run("join", stdin=code(first))
    assert str(second.vault) in done.out
    assert "what was not pushed came along" in done.out
    assert keys(second)[fingerprint(old, vault_id(second))] == old
    assert keys(second)[""] == keys(first)[""]
    first.run("sync")
    assert first.bodies() == second.bodies()
    assert first.bodies() == {
        one: "one, edited there", mine: "not pushed", theirs: "after it", stale: "and writes, too"
    }  # fmt: skip
    assert first.run("--json", "read", one).json["memories"][0]["tags"] == ["edited-here"]
    for machine in (first, second):
        machine.assert_sound("edited")
        assert "0 pulled, 0 pushed" in machine.run("sync").out


def test_a_code_of_another_key_changes_nothing(pair: tuple[Machine, Machine]) -> None:
    first, second = pair
    stale = code(first)
    first.run("rekey", "--yes")
    between = code(first)
    first.run("rekey", "--yes")
    before = keys(second)
    tip = second.git("rev-parse", "HEAD")
    for given in (stale, between):
        second.run("join", stdin=given, code=12)
        assert keys(second) == before
        assert second.git("rev-parse", "HEAD") == tip
        assert len(second.ids()) == 2
    second.run("join", stdin=code(first))
    assert second.bodies() == first.bodies()


def test_a_machine_that_pulled_the_rekey_with_its_own_git_takes_the_key_over_too(
    pair: tuple[Machine, Machine],
) -> None:
    first, second = pair
    first.run("rekey", "--yes")
    second.git("pull", "-q", "--ff-only")
    assert "gitmem join" in second.run("list", code=12).err
    second.run("join", stdin=code(first))
    assert second.bodies() == first.bodies()
    second.assert_sound("one")


@pytest.mark.parametrize("anchor", ["", "trust", "rekey"])
def test_a_memory_forged_with_the_old_key_is_refused(
    pair: tuple[Machine, Machine], another: Another, anchor: str
) -> None:
    first, second = pair
    old = keys(first)[""]
    first.run("rekey", "--yes")
    second.run("join", stdin=code(first))
    floor = code(first)
    tip = first.git("rev-parse", "HEAD").strip()
    forged = sealed_by(first, old, "by the thief", tip, anchor)
    first.git("push", "-q", "origin", f"{forged}:refs/heads/main")
    for machine in (first, second):
        refused = machine.run("sync", code=13)
        assert forged in refused.err
        assert len(machine.ids()) == 2
    fresh = another()
    fresh.run("join", str(fresh.vault), stdin=floor, code=13)
    assert not fresh.vault.exists()
    first.run("sync", "--restore")
    second.run("sync")
    assert first.bodies() == second.bodies()
    assert "by the thief" not in first.bodies().values()
    done = first.run("read", "01M7W000000000000000000000", "--at", forged, code=None)
    assert done.code in (10, 13)


def test_a_thief_of_the_first_key_seals_nothing_between_two_rekeys(pair: tuple[Machine, Machine]) -> None:
    """Retired keys count under the rekey that ended them and nowhere else, also where two are kept."""
    first, _ = pair
    old = keys(first)[""]
    first.run("rekey", "--yes")
    forged = sealed_by(first, old, "by the thief", first.git("rev-parse", "HEAD").strip())
    first.git("push", "-q", "origin", f"{forged}:refs/heads/main")
    first.run("sync", "--restore")
    genuine = first.write("by its owner")
    mark = first.git("rev-parse", "HEAD").strip()
    first.run("rekey", "--yes")
    assert first.run("read", genuine, "--at", mark).out.endswith("by its owner\n")
    done = first.run("read", "01M7W000000000000000000000", "--at", forged, code=None)
    assert done.code in (10, 13)
    rows = {row["id"]: row["verdict"] for row in first.run("--json", "verify", "--all").json["list"]}
    assert rows[forged] == "vouched"
    assert rows[mark] == "sealed"


def test_a_file_at_the_tip_that_only_a_retired_key_opens_is_refused(pair: tuple[Machine, Machine]) -> None:
    first, _ = pair
    memory, before = first.ids()[0], first.git("rev-parse", "HEAD").strip()
    blob = first.git("rev-parse", f"{before}:{path_of(memory)}").strip()
    first.run("rekey", "--yes")
    vault = Vault(keys(first)[""], vault_id(first))
    odd = commit(first, vault, {path_of(memory): blob}, first.git("rev-parse", "HEAD").strip())
    first.git("reset", "-q", "--hard", odd)
    done = first.run("read", memory, code=13)
    assert memory[-6:] in done.err
    assert done.out == ""


def test_everything_sealed_is_sealed_anew_and_a_damaged_file_stops_it(pair: tuple[Machine, Machine]) -> None:
    first, _ = pair
    script = (
        "import sys; from gitmem import app; from gitmem.flows import records;"
        "store = app.open_store(sys.argv[1]);"
        "records.keep(store, 'sharing', {'tags': ['a']}, 'share'); print(records.read(store, 'sharing'))"
    )
    assert first.python(script, str(first.vault)).strip() == "{'tags': ['a']}"
    old = keys(first)[""]
    plan = first.run("--json", "rekey", "--dry-run").json
    assert (plan["memories"], plan["records"], plan["has_slot"]) == (2, 1, False)
    assert keys(first) == {"": old}
    first.run("rekey", "--yes")
    sealed = (first.vault / ".gitmem" / "sharing.age").read_bytes()
    assert json.loads(Vault(keys(first)[""], vault_id(first)).open(sealed))["tags"] == ["a"]
    read = script.partition("records.keep")[0] + "print(records.read(store, 'sharing'))"
    assert first.python(read, str(first.vault)).strip() == "{'tags': ['a']}"
    tip, now = first.git("rev-parse", "HEAD"), keys(first)
    memory = first.ids()[0]
    blob = first.git("rev-parse", f"HEAD~1:{path_of(memory)}").strip()
    odd = commit(first, Vault(now[""], vault_id(first)), {path_of(memory): blob}, tip.strip())
    first.git("reset", "-q", "--hard", odd)
    done = first.run("rekey", "--yes", code=13)
    assert memory in done.err
    assert keys(first) == now  # the key that was made for it is not left behind
    assert first.git("rev-parse", "HEAD").strip() == odd


def test_a_vault_without_a_remote_gets_a_new_key_too(another: Another) -> None:
    machine = another().init("--bare")
    memory = machine.write("here alone")
    done = machine.run("rekey", "--yes")
    assert "gitmem join" not in done.out
    assert machine.bodies() == {memory: "here alone"}
    assert len(keys(machine)) == 2
    machine.write("and on")
    machine.assert_sound("alone")


@pytest.mark.parametrize("variable", ["GITMEM_KEY", "GITMEM_JOIN"])
def test_a_key_from_the_environment_is_not_replaced(
    pair: tuple[Machine, Machine], another: Another, variable: str
) -> None:
    first, second = pair
    given = keys(first)[""].text if variable == "GITMEM_KEY" else code(first).decode()
    guest = another()
    guest.vault = second.vault
    done = guest.run("rekey", "--yes", code=9, env={variable: given})
    assert variable in done.err
    assert not (guest.home / ".config" / "gitmem" / "keys").exists()
    assert first.run("sync").out.startswith("0 pulled, 0 pushed")


def test_the_locked_copy_goes_with_the_old_key_where_nobody_can_type_a_passphrase(
    pair: tuple[Machine, Machine],
) -> None:
    first, second = pair
    first.run("key", "passphrase", stdin=b"five words do very well\n")
    done = first.run("rekey", "--yes")
    assert "gitmem key passphrase" in done.out
    assert not (first.vault / ".gitmem" / "key.age").exists()
    second.run("join", stdin=code(first))
    first.run("key", "passphrase", "--only", stdin=b"five words do very well\n")
    assert "no terminal" in first.run("rekey", "--yes", code=11).err


def test_unpushed_work_here_is_pushed_first_and_a_refused_remote_stops_everything(
    pair: tuple[Machine, Machine],
) -> None:
    first, second = pair
    mine = first.write("not pushed here")
    theirs = second.write("pushed there")
    second.run("sync")
    first.run("rekey", "--yes")
    assert {mine, theirs} <= set(first.ids())
    assert first.git("rev-parse", "HEAD~1").strip() == first.git("rev-parse", "origin/main~1").strip()
    before = keys(first)
    junk = first.git(
        "commit-tree", "-p", "HEAD", "-m", "junk", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    ).strip()
    first.git("push", "-q", "origin", f"{junk}:refs/heads/main")
    assert junk in first.run("rekey", "--yes", code=13).err
    assert keys(first) == before


def test_a_purge_under_a_rekey_and_a_rekey_after_a_purge(
    pair: tuple[Machine, Machine], another: Another
) -> None:
    """Both happen while another device is away: one `gitmem join` follows both."""
    first, second = pair
    one = first.ids()[0]
    secret = first.write("the secret")
    first.run("sync")
    second.run("sync")
    third = another().join(first)
    third.run("config", "set", "sync.auto", "false")
    mine = second.write("not pushed")
    other = third.write("not pushed either")
    third.run("edit", secret, "--body", "an edit of what goes")
    first.run("forget", secret, "--purge", "--yes")
    first.run("rekey", "--yes")
    second.run("join", stdin=code(first))
    second.run("forget", one, "--purge", "--yes")
    first.run("sync")
    third.run("join", stdin=code(first))
    third.run("sync")
    first.run("sync")
    second.run("sync")
    assert first.bodies() == second.bodies() == third.bodies()
    assert set(first.bodies().values()) == {"not pushed", "not pushed either"} | (
        set(first.bodies().values()) & {"one", "two"}
    )
    assert not {one, secret} & set(first.bodies())
    assert {mine, other} <= set(first.bodies())
    for machine in (first, second, third):
        names = machine.git("log", "--all", "--format=", "--name-only")
        assert path_of(one) not in names
        assert path_of(secret) not in names
        machine.assert_sound("pushed")
    rows = first.run("--json", "verify").json["verdicts"]
    assert set(rows) == {"sealed"}


def test_neither_key_is_in_an_argument_an_environment_a_message_or_an_object(
    pair: tuple[Machine, Machine], tmp_path: Path
) -> None:
    first, second = pair
    log, folder = tmp_path / "git-log", tmp_path / "bin"
    folder.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "git").write_text(f'#!/bin/sh\n{{ echo "argv $*"; env; }} >> {log}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    for machine in (first, second):
        machine.env["PATH"] = f"{folder}:{machine.env['PATH']}"
    old = keys(first)[""]
    said = first.run("rekey", "--yes")
    joined = second.run("join", stdin=code(first))
    second.run("forget", second.ids()[0], "--purge", "--yes")
    new = keys(first)[""]
    assert log.read_text().count("argv ") > 20
    for identity in (old, new):
        words = {
            identity.text.encode(),
            identity.text[16:30].encode(),
            identity.raw,
            identity.raw.hex().encode(),
        }
        for what in (
            log.read_bytes(),
            *(text.encode() for one in (said, joined) for text in (one.out, one.err)),
        ):
            assert not any(word in what for word in words)
        for machine in (first, second):
            for place in (machine.home, machine.vault):
                for path in place.rglob("*"):
                    if path.is_file() and path.parent.name != "keys":
                        assert not any(word in path.read_bytes() for word in words), path
            objects = subprocess.run(
                ["git", "-C", str(machine.vault), "cat-file", "--batch", "--batch-all-objects"],
                capture_output=True, check=True,
            ).stdout  # fmt: skip
            assert not any(word in objects for word in words)


def test_another_process_that_opened_the_vault_before_a_rekey_writes_nothing_after_it(
    pair: tuple[Machine, Machine],
) -> None:
    first, _ = pair
    script = """
import subprocess, sys
from gitmem import app
from gitmem.errors import WrongKeyError
from gitmem.flows.remember import remember
store = app.open_store(sys.argv[1])
store.tip()
subprocess.run([sys.executable, "-P", "-m", "gitmem", "--vault", sys.argv[1], "rekey", "--yes"], check=True,
               stdout=subprocess.DEVNULL)
for act in (lambda: remember(store, "too late"), lambda: list(store.memories()), store.tip):
    try:
        act()
        print("went through")
    except WrongKeyError as error:
        print(error.message)
"""
    said = first.python(script, str(first.vault))
    assert said.splitlines() == ["The vault was given a new key while this command ran."] * 3
    first.assert_sound("one")


def test_a_remote_that_is_gone_leaves_the_old_key_in_place(pair: tuple[Machine, Machine], bare: Path) -> None:
    first, _ = pair
    old = keys(first)
    os.rename(bare, f"{bare}.away")
    first.run("rekey", "--yes", code=18)
    assert keys(first) == old
    os.rename(f"{bare}.away", bare)
    first.run("rekey", "--yes")
    assert git(bare, "rev-parse", "main") == first.git("rev-parse", "HEAD").strip()
    assert state(first, "remote") == state(first, "local")


def test_a_pretended_rekey_is_told_from_nothing_else_and_taken_off_by_a_restore(world: World) -> None:
    """Without the key somebody writes another fingerprint and the word for an anchor."""
    tip = world.look()
    text = world.git("show", f"{tip}:.gitmem/vault.toml").replace(world.vault.fingerprint, "0" * 16)
    changes = {".gitmem/vault.toml": world.blob(text.encode() + b"\n"), path_of(world.two): None}
    forged = world.push(world.change(tip, changes, message="rekey\n\nGitmem-Anchor: rekey\n"))
    before = world.b.snapshot()
    with pytest.raises(WrongKeyError, match=forged) as caught:
        world.b.sync()
    assert caught.value.exit_code == 12
    assert "gitmem sync --restore" in str(caught.value)
    assert world.b.snapshot() == before
    world.b.restore()
    accepted(world, {world.one: "one, edited", world.two: "two"})


def test_a_changed_fingerprint_without_that_word_is_tampering(world: World) -> None:
    tip = world.look()
    text = world.git("show", f"{tip}:.gitmem/vault.toml").replace(world.vault.fingerprint, "0" * 16)
    refused(world.b, world.push(world.change(tip, {".gitmem/vault.toml": world.blob(text.encode() + b"\n")})))
