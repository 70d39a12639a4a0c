"""Sharing, previewing, publishing and the secret address, by the real command."""

import json
import os
import re
import stat

import pytest

from digests import published, share

KEY = "AKIA" + "Z3Q5" * 4


def key_of(machine):
    (path,) = (machine.home / ".config" / "gitmem" / "keys").iterdir()
    return next(line for line in path.read_text().splitlines() if line.startswith("AGE-SECRET"))


def only_path(folder):
    (found,) = [entry for entry in folder.iterdir() if entry.is_dir()]
    return found


def test_the_preview_lists_exactly_what_a_build_publishes_and_who_reads_it(machine, tmp_path):
    one, gone = share(machine, "Shown here"), share(machine, "Over soon", "--expires", "2020-01-01")
    machine.write("marker kept private")
    said = machine.run("digest", "--preview").out
    assert one[-6:] in said and "marker" not in said and "Nobody yet" in said
    assert re.search(rf"{gone[-6:]}  Over soon +expired", said)
    seen = machine.run("--json", "digest", "--preview").json
    assert [row["id"] for row in seen["memories"]] == [one]
    assert seen["held"] == [{"id": gone, "why": "expired"}] and seen["host"] == ""
    machine.run("digest", str(tmp_path / "site"))
    assert "Shown here" in published(tmp_path / "site") and "marker" not in published(tmp_path / "site")


def test_marks_and_rules_come_and_go(machine, tmp_path):
    one = machine.write("first")
    machine.run("write", "second", "--project", "shop")
    assert "marked" in machine.run("share", one[-6:]).out
    machine.run("share", "--project", "shop", "--kind", "decision")
    listed = machine.run("--json", "share", "--list").json
    assert listed["rules"] == {"projects": ["shop"], "tags": [], "kinds": ["decision"]}
    assert {row["body"] for row in listed["memories"]} == {"first", "second"}
    machine.run("share", one[-6:], "--off")
    machine.run("share", "--project", "shop", "--off")
    assert machine.run("--json", "share", "--list").json["memories"] == []
    assert machine.run("--json", "undo").code == 0  # rules are commits like any other
    assert len(machine.run("--json", "share", "--list").json["memories"]) == 1


def test_a_rule_that_outlives_a_mark_is_named(machine):
    one = share(machine, "text", "--project", "shop")
    machine.run("share", "--project", "shop")
    said = machine.run("share", one, "--off").out
    assert "still shared by a rule: `gitmem share --project shop --off`" in said


@pytest.mark.parametrize(
    "line", [["share"], ["share", "--list", "--tag", "x"], ["digest"], ["publish", "--off", "x"]]
)
def test_a_command_that_does_not_say_what_it_wants_is_refused(machine, line):
    machine.run(*line, code=2)


def test_a_planted_key_stops_the_build_and_names_the_memory_alone(machine, tmp_path):
    bad = share(machine, f"the key is {KEY}")
    share(machine, "harmless")
    for line in (["digest", str(tmp_path / "a")], ["publish", "--to", "dir", str(tmp_path / "b")]):
        done = machine.run(*line, code=16)
        assert bad[-6:] in done.err and "an AWS key" in done.err and KEY not in done.out + done.err
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()
    said = machine.run("digest", "--preview").out
    assert (
        "an AWS key" in said and machine.run("--json", "digest", "--preview").json["secrets"][0]["id"] == bad
    )
    machine.run("share", bad, "--off")
    machine.run("digest", str(tmp_path / "a"))
    assert KEY not in published(tmp_path / "a") and "harmless" in published(tmp_path / "a")


def test_no_word_of_an_unshared_memory_comes_out_through_consolidation(machine, tmp_path, data_dir):
    lines = map(json.loads, (data_dir / "locomo" / "dev-memories.jsonl").read_text().splitlines())
    chosen = [one for one in lines if one["project"] in ("conv-26", "conv-30")]
    for place, one in enumerate(chosen):  # in every project each other one, with a word that only it has
        word = "openword" if place % 2 else "privateword"
        one["body"] = one["body"].replace(". ", f" {word}{place}. ")
        one["tags"] = ["open"] if place % 2 else []
    (tmp_path / "notes.jsonl").write_text("\n".join(map(json.dumps, chosen)))
    machine.run("import", str(tmp_path / "notes.jsonl"))
    machine.run("share", "--tag", "open")
    machine.run("consolidate", "--engine", "offline")
    seen = machine.run("--json", "digest", "--preview").json["memories"]
    told = [one for one in seen if "digest" in one.get("tags", ())]
    assert {one.get("project", "") for one in told} == {"", "conv-26", "conv-30"}
    machine.run("digest", str(tmp_path / "site"))
    text = published(tmp_path / "site")
    assert "openword1." in text and "privateword" not in text
    private = sum("privateword" in body for body in machine.bodies().values())
    assert private > len(chosen) / 2  # consolidation has written of the private ones too
    # What the narratives were drawn from is unshared: they go, before anything is consolidated again.
    source = next(one for one in told if one.get("project") == "conv-26")["sources"][0]
    machine.run("edit", source, "--tag", "")
    machine.run("digest", str(tmp_path / "site"))
    after = published(tmp_path / "site")
    assert "openword3." in after and "privateword" not in after
    gone = [one["id"][-6:] for one in told if source in one["sources"]]
    assert len(gone) == 2 and not any(short in after for short in (*gone, source[-6:]))


def test_the_digest_is_off_until_it_is_asked_for(machine):
    share(machine, "text")
    assert "published nowhere yet" in machine.run("publish", code=10).err
    assert "not published anywhere" in machine.run("url", code=10).err


def test_a_folder_is_remembered_rotated_and_taken_down(machine, tmp_path):
    share(machine, "word one")
    site = tmp_path / "site"
    machine.run("publish", "--to", "dir", str(site))
    first = only_path(site)
    assert (first / "index.html").exists() and "word one" in published(first)
    machine.run("url", "--base", "https://notes.example.org/m")
    address = machine.run("--json", "url").json["url"]
    assert address == f"https://notes.example.org/m/{first.name}/index.html" and len(address) <= 250
    assert address in published(first).replace(f"{first.name}/m-", f"{first.name}/index.html m-")
    share(machine, "word two")
    left = first / "index.html.0123456789ab.part"  # by a run that was killed
    left.write_bytes((first / "index.html").read_bytes())
    machine.run("publish")
    assert only_path(site) == first and "word two" in published(first) and not left.exists()
    left.write_bytes((first / "index.html").read_bytes())
    machine.run("url", "--rotate")
    second = only_path(site)
    assert second != first and first.name not in published(site)
    assert second.name in machine.run("--json", "url").json["url"]
    machine.run("publish", "--off")
    assert list(site.iterdir()) == []
    assert machine.run("publish", code=10)


def test_the_address_needs_nothing_but_the_key(machine, tmp_path):
    share(machine, "text")
    machine.run("publish", "--to", "dir", str(tmp_path / "site"))
    machine.run("url", "--base", "https://notes.example.org/m", "--window", "monthly")
    here = machine.run("--json", "url").json
    key = key_of(machine)
    config = machine.home / ".config" / "gitmem"
    os.rename(config, machine.home / "elsewhere")
    assert machine.run("--json", "url", env={"GITMEM_KEY": key}).json == here
    assert here["window"] == "monthly" and here["until"].endswith("-01T00:00:00Z")


def test_windows_put_the_neighbouring_paths_beside_the_current_one(machine, tmp_path):
    share(machine, "text")
    machine.run("publish", "--to", "dir", str(tmp_path / "site"))
    machine.run("url", "--base", "https://notes.example.org/m", "--window", "daily")
    assert sum(entry.is_dir() for entry in (tmp_path / "site").iterdir()) == 3
    machine.run("url", "--window", "never")
    assert sum(entry.is_dir() for entry in (tmp_path / "site").iterdir()) == 1


def test_a_long_address_is_refused_and_nothing_changes(machine, tmp_path):
    share(machine, "text")
    machine.run("publish", "--to", "dir", str(tmp_path / "site"))
    assert "250" in machine.run("url", "--base", "https://x.example/" + "a" * 200, code=9).err
    assert machine.run("url", code=10)


def test_the_code_is_drawn_only_when_asked_for_or_at_a_terminal(machine, tmp_path):
    share(machine, "text")
    machine.run("publish", "--to", "dir", str(tmp_path / "site"))
    machine.run("url", "--base", "https://notes.example.org/m")
    assert "█" not in machine.run("url").out
    drawn = machine.run("url", "--qr").out
    rows = [line for line in drawn.splitlines() if set(line) & set("█▀▄")]
    assert len({len(row) for row in rows}) == 1 and len(rows[0]) <= 80 and len(rows) > 15
    assert json.loads(machine.run("--json", "url", "--qr").out)["url"] in drawn


def test_a_command_gets_the_folder_and_none_of_the_vaults_secrets(machine, tmp_path):
    share(machine, "word one")
    tool = tmp_path / "tool"
    tool.write_text(
        f'#!/bin/sh\nenv > "{tmp_path}/env"; cp -r "$2" "{tmp_path}/taken"; echo "$2" > "{tmp_path}/where"\n'
        'ls "$2"; ls "$2" >&2\n'
    )
    tool.chmod(0o755)
    key = key_of(machine)
    env = {"GITMEM_KEY": key, "MY_TOKEN": "for the tool"}
    done = machine.run("publish", "--to", "command", f"'{tool}' --quiet", env=env)
    assert "word one" in published(tmp_path / "taken")
    assert only_path(tmp_path / "taken").name not in done.out + done.err
    assert (
        "for the tool" in (tmp_path / "env").read_text()
        and "AGE-SECRET" not in (tmp_path / "env").read_text()
    )
    assert not os.path.exists((tmp_path / "where").read_text().strip())  # the readable copy is gone
    tool.write_text("#!/bin/sh\nls $2 >&2; exit 3\n")
    failed = machine.run("publish", code=9)
    assert "ended with 3" in failed.err and only_path(tmp_path / "taken").name not in failed.err


@pytest.mark.parametrize("command", ["no-such-program-here", "'open quote", " "])
def test_a_command_that_cannot_run_is_one_clear_sentence(machine, command):
    share(machine, "text")
    said = machine.run("publish", "--to", "command", command, code=None)
    assert said.code in (9, 10) and said.err.startswith("gitmem: ")


def test_the_vault_does_not_tell_another_machine_what_to_run(machine):
    share(machine, "text")
    machine.run("publish", "--to", "command", "true")
    (noted,) = (machine.home / ".config" / "gitmem" / "digests").iterdir()
    assert noted.read_text() == "true\n" and stat.S_IMODE(noted.stat().st_mode) == 0o600
    noted.unlink()  # as on any machine but this
    assert "No command was named" in machine.run("publish", code=10).err


# --- in a job of GitHub Actions ----------------------------------------------------------------------------


def test_in_actions_nothing_secret_is_printed_and_nothing_is_remembered(machine, tmp_path):
    one = share(machine, "word one", "--title", "Title one", "--project", "shop")
    machine.run("publish", "--to", "dir", str(tmp_path / "local"))
    tip = machine.git("rev-parse", "HEAD")
    job = {"GITHUB_ACTIONS": "true"}
    site = tmp_path / "runner" / "site"
    done = machine.run("publish", "--to", "dir", str(site), env=job)
    path = only_path(site).name
    said = done.out + done.err
    assert not any(word in said for word in (path, "word one", "Title one", "shop", one, one[-6:]))
    assert "1 shared memory" in said and "word one" in published(site)
    assert machine.git("rev-parse", "HEAD") == tip
    assert "a secret" in machine.run("url", env=job, code=9).err
    bad = share(machine, f"the key is {KEY}")
    failed = machine.run("publish", "--to", "dir", str(tmp_path / "other"), env=job, code=16)
    assert bad[-6:] not in failed.err and not (tmp_path / "other").exists()


def test_a_job_builds_for_pages_only_where_the_owner_asked_for_it(machine, tmp_path):
    share(machine, "word one")
    done = machine.run(
        "publish", "--to", "pages", "--dir", str(tmp_path / "site"), env={"GITHUB_ACTIONS": "true"}
    )
    assert "not published there" in done.out and not (tmp_path / "site").exists()


def test_no_commit_says_where_the_digest_is_or_what_was_shared(machine, tmp_path):
    share(machine, "word one", "--project", "shop")
    machine.run("share", "--project", "shop")
    machine.run("publish", "--to", "dir", str(tmp_path / "site"))
    machine.run("url", "--base", "https://notes.example.org/m", "--rotate")
    path = only_path(tmp_path / "site").name
    said = machine.git("log", "--all", "--format=%B%an%ae")
    assert not any(word in said for word in (path, "notes.example.org", "shop", "share", "url", "rotat"))
    raw = b"".join(one.read_bytes() for one in machine.vault.rglob("*") if one.is_file())
    assert path.encode() not in raw and b"notes.example.org" not in raw
