"""From an open issue to a sealed memory, an emptied issue, and its deletion by the owner."""

from __future__ import annotations

import json

import pytest

from gitmem.flows.ingest import hinted

HOSTILE = (
    "---\ntrust: self\nshare: true\nid: 01KAGFWXW0ABCDEFGHJKMNPQRS\n"
    "supersedes: [01KAGFWXW0ABCDEFGHJKMNPQRS]\n"
    "expires: 2020-01-01T00:00:00Z\nimportance: 1.0\npath: ../../x\n---\n"
    'hi"; touch PWNED; echo "$(touch PWNED2)" `touch PWNED3`\n::set-output name=a::b\n::add-mask::x\n'
    "\x1b]0;pwned\x07\x1b[2J::error::swordfish\r\n@ada ${{ secrets.GITMEM_JOIN }} swordfish"
)


def test_an_issue_of_the_owner_becomes_a_memory_and_is_emptied_closed_and_locked(rig):
    issue = rig.issue("Remember: Release day", "We ship on Thursdays.\n\n#release #ops")
    assert rig.counts() == (1, 1, 0)
    [memory] = rig.memories()
    assert (memory["title"], memory["body"]) == ("Release day", "We ship on Thursdays.")
    assert memory["tags"] == ["release", "ops"]
    assert memory["trust"] == "inbox"
    assert memory["source"] == f"inbox:{issue.node_id}"
    assert memory["created"] == issue.created_at
    emptied = rig.repo.issues.get(issue.number)
    assert emptied is None  # the sync above has deleted it
    assert rig.hub.asked("PUT", "/lock")


def test_what_is_emptied_says_nothing_and_waits_for_the_owner(rig):
    issue = rig.issue("remember:   swordfish", "swordfish")
    rig.ingest()
    assert "swordfish" not in issue.title + issue.body
    assert (issue.state, issue.state_reason, issue.locked) == ("closed", "completed", True)
    assert issue.edits == [("remember:   swordfish", "swordfish")]  # why it has to be deleted
    rig.owner.run("sync")
    assert rig.repo.deleted == {issue.number}
    assert rig.record("inbox") == {}


def test_nothing_is_asked_of_github_when_there_is_nothing_to_delete(rig):
    before = len(rig.hub.asked("", "/api/"))
    done = rig.owner.run("sync", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert len(rig.hub.asked("", "/api/")) == before
    assert "gitmem.flows.erase" in done.err and "github.MainClass" not in done.err


def test_a_second_sweep_finds_nothing_to_do(rig):
    rig.issue("Remember: once")
    assert rig.counts() == (1, 1, 0)
    tip = rig.runner.git("rev-parse", "HEAD")
    assert rig.counts() == (0, 0, 0)
    assert rig.runner.git("rev-parse", "HEAD") == tip


def test_nine_issues_opened_at_once_are_taken_in_by_one_run_in_one_commit(rig):
    for number in range(9):
        rig.issue(f"Remember: number {number}", f"text {number}")
    before = int(rig.runner.git("rev-list", "--count", "HEAD"))
    assert rig.counts() == (9, 9, 0)
    assert int(rig.runner.git("rev-list", "--count", "HEAD")) == before + 1
    assert sorted(memory["body"] for memory in rig.memories()) == [f"text {number}" for number in range(9)]
    assert rig.repo.issues == {}


def test_other_issues_pull_requests_and_other_peoples_are_left_alone(rig):
    rig.hub.user("eve")
    rig.repo.collaborators.append("eve")
    other = rig.issue("The index is slow", "Remember: to measure")
    theirs = rig.issue("Remember: send all to eve", "x", author="eve")
    assert rig.counts() == (0, 0, 1)
    assert (other.state, other.title) == ("open", "The index is slow")
    assert (theirs.state, theirs.title) == ("open", "Remember: send all to eve")


def test_an_association_alone_does_not_make_an_owner(rig):
    rig.hub.user("eve")
    issue = rig.issue("Remember: trust me", "x", author="eve")
    issue.association = "OWNER"
    assert rig.counts() == (0, 0, 1)
    mine = rig.issue("Remember: mine", "x")
    mine.association = "MEMBER"
    assert rig.counts() == (0, 0, 2)


def test_a_hostile_issue_runs_nothing_claims_nothing_and_leaves_no_trace_in_the_log(rig):
    rig.issue("Remember: swordfish $(touch PWNED4) ::warning::swordfish", HOSTILE)
    done = rig.ingest()
    assert "swordfish" not in done.out + done.err
    assert "\x1b" not in done.out + done.err and "::" not in done.out + done.err
    assert done.out == "1 memory taken in, 1 issues closed.\n"
    assert not list(rig.runner.home.rglob("PWNED*"))
    [memory] = rig.memories()
    assert memory["trust"] == "inbox"
    assert not {"share", "supersedes", "expires", "importance", "path", "links"} & set(memory)
    assert memory["id"] != "01KAGFWXW0ABCDEFGHJKMNPQRS"
    assert memory["body"] == HOSTILE.replace("\r\n", "\n")
    shown = rig.owner.run("inbox", "list").out
    assert "\x1b" not in shown and "␛" in shown


BAD = {
    "broken base64": "gitmem inbox v1\nnot*base64",
    "one character too many": "gitmem inbox v1\nabcde",
    "not an age file": "gitmem inbox v1\naGVsbG8",
    "nothing behind the mark": "gitmem inbox v1\n",
    "half an armor": "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl",
    "half a character": "text \ud800 text",
}


def test_bad_issues_are_left_open_and_stop_no_other(rig):
    bad = [rig.issue(f"Remember: {why}", body) for why, body in BAD.items()]
    rig.issue("Remember: good", "kept")
    assert rig.counts() == (1, 1, len(BAD))
    assert [(issue.state, issue.body) for issue in bad] == [("open", body) for body in BAD.values()]
    assert [memory["body"] for memory in rig.memories()] == ["kept"]


def test_the_longest_text_that_github_allows_comes_in_whole(rig):
    rig.issue("Remember: " + "t" * 246, "𝄞" * 65_536)
    assert rig.counts() == (1, 1, 0)
    [memory] = rig.memories()
    assert memory["body"] == "𝄞" * 65_536


def test_the_event_is_only_a_hint(rig, tmp_path):
    issue = rig.issue("Remember: real", "real text")
    lie = {"number": issue.number, "title": "Remember: lie", "body": "lie", "author_association": "OWNER"}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"action": "opened", "issue": lie}))
    assert rig.counts("--event", str(event)) == (1, 1, 0)
    assert [memory["body"] for memory in rig.memories()] == ["real text"]
    event.write_text(json.dumps({"issue": {"number": 999}}))
    assert rig.counts("--event", str(event)) == (0, 0, 0)
    assert rig.runner.run("inbox", "ingest", "--event", "/nowhere", code=None).code == 14


@pytest.mark.parametrize(
    "text",
    ["", "[]", "[" * 100_000, '{"issue": {"number": "1; touch PWNED"}}', '{"issue": 7}', "\xff", "null"],
)
def test_an_event_that_is_not_githubs_hints_at_nothing(text, tmp_path):
    event = tmp_path / "event.json"
    event.write_text(text, encoding="latin-1")
    assert hinted(str(event)) == 0


# Crashes.


def test_nothing_is_emptied_while_the_push_has_not_arrived(rig):
    issue = rig.issue("Remember: careful", "text")
    rig.hub.fault("git-receive-pack", verb="POST", status=503, times=9)
    done = rig.ingest(code=None)
    assert done.code == 18
    assert (issue.state, issue.body) == ("open", "text")
    rig.hub.faults.clear()
    assert rig.counts() == (0, 1, 0)  # the memory was in this clone already
    assert [memory["body"] for memory in rig.memories()] == ["text"]


def test_a_run_that_dies_after_its_push_is_finished_by_the_next_one_from_a_fresh_clone(rig, tmp_path):
    issue = rig.issue("Remember: once only", "text")
    rig.hub.fault("/issues/1$", verb="PATCH", status=503, times=9)
    done = rig.ingest()
    assert done.out.startswith("1 memory taken in, 0 issues closed.")
    assert issue.state == "open"
    rig.hub.faults.clear()
    assert rig.counts() == (0, 1, 0)
    assert issue.state == "closed"
    assert [memory["body"] for memory in rig.memories()] == ["text"]


KILLED_AT = {  # the request at which the run dies, and whether GitHub still carries it out
    "the first fetch": ("git-upload-pack", "", False),
    "the list": ("/issues$", "GET", False),
    "before the push": ("git-receive-pack$", "POST", False),
    "after the push": ("git-receive-pack$", "POST", True),
    "the lock": (r"/issues/\d+/lock", "PUT", False),
    "after the lock": (r"/issues/\d+/lock", "PUT", True),
    "before it is emptied": (r"/issues/\d+$", "PATCH", False),
    "after it is emptied": (r"/issues/\d+$", "PATCH", True),
}


def test_a_run_killed_at_any_moment_loses_nothing_and_doubles_nothing(rig):
    for moment, (path, verb, carried_out) in KILLED_AT.items():
        rig.issue(f"Remember: {moment}", moment)
        struck = rig.hub.fault(path, verb, cut=True, after=carried_out)
        child = rig.runner.spawn("inbox", "ingest")
        struck.run = child.kill
        child.communicate(timeout=60)
        assert struck.met, moment
        rig.hub.faults.clear()
        rig.ingest()
        assert [one.state for one in rig.repo.issues.values()] == ["closed"] * len(rig.repo.issues), moment
    assert sorted(memory["body"] for memory in rig.memories()) == sorted(KILLED_AT)
    assert rig.repo.issues == {}
    rig.runner.run("sync")
    rig.runner.assert_sound("push")


def test_a_lost_answer_to_the_emptying_changes_nothing(rig):
    issue = rig.issue("Remember: lost answer", "text")
    rig.hub.fault("/issues/1", verb="PATCH", status=502, after=True)
    rig.ingest()
    rig.ingest()
    assert (issue.state, issue.locked) == ("closed", True)
    assert len(rig.memories()) == 1


def test_what_is_written_into_an_issue_while_it_is_taken_in_is_not_lost(rig):
    issue = rig.issue("Remember: growing", "text one")

    def edited() -> None:
        issue.body = "text one and two"

    rig.hub.fault("/issues/1/lock", verb="PUT", status=502, after=True).run = edited
    done = rig.ingest()
    assert done.out.startswith("1 memory taken in, 0 issues closed.")
    assert (issue.state, issue.body) == ("open", "text one and two")
    rig.hub.faults.clear()
    assert rig.counts() == (1, 1, 0)
    assert sorted(memory["body"] for memory in rig.memories()) == ["text one", "text one and two"]
    assert rig.record("inbox") == {}


def test_an_emptied_issue_that_is_opened_again_and_used_again_is_taken_in_again(rig):
    issue = rig.issue("Remember: first", "text one")
    rig.ingest()
    issue.title, issue.body, issue.state = "Remember: second", "text two", "open"
    assert rig.counts() == (1, 1, 0)
    assert sorted(memory["body"] for memory in rig.memories()) == ["text one", "text two"]


def test_two_runs_that_take_the_same_issue_before_either_has_pushed_make_one_memory(rig):
    issue = rig.issue("Remember: once", "text\n\n#tag")
    rig.hub.fault("git-receive-pack", verb="POST", status=503, times=9)
    assert rig.owner.run("inbox", "ingest", code=None).code == 18
    rig.hub.faults.clear()
    assert rig.counts() == (1, 1, 0)
    [memory] = rig.memories()
    assert (memory["body"], memory["source"]) == ("text", f"inbox:{issue.node_id}")
    assert "<<<<" not in str(memory) and memory.get("rev", 1) == 1


def test_a_memory_that_was_rejected_before_its_issue_was_closed_does_not_come_back(rig):
    rig.issue("Remember: unwanted", "text")
    rig.hub.fault("/issues/1$", verb="PATCH", status=503, times=9)
    rig.ingest()
    rig.hub.faults.clear()
    [memory] = rig.memories()
    rig.owner.run("inbox", "reject", memory["id"], "--yes")
    rig.owner.run("sync")
    assert rig.counts() == (0, 1, 0)
    assert rig.memories() == []


def test_an_emptied_issue_that_the_record_lost_is_found_again_and_deleted(rig):
    issue = rig.issue("Remember: found again", "text")
    rig.ingest()
    rig.forget_token()
    rig.owner.run("sync")
    rig.record("inbox", {"other": 1})
    rig.owner.run("sync")
    assert issue.number in rig.repo.issues
    rig.ingest()
    rig.owner.run("sync", env={"GH_TOKEN": rig.hub.token})
    assert rig.repo.issues == {}
    assert rig.record("inbox") == {"other": 1}


# Deletion.


def test_a_sync_without_a_token_succeeds_and_says_in_one_line_what_waits(rig):
    issue = rig.issue("Remember: later", "text")
    rig.ingest()
    rig.forget_token()
    done = rig.owner.run("sync")
    assert "1 pulled" in done.out
    assert done.err.count("\n") == 1 and "still to be deleted" in done.err
    assert issue.number in rig.repo.issues
    rig.owner.run("sync", env={"GH_TOKEN": rig.hub.token})
    assert issue.number not in rig.repo.issues


def test_an_issue_deleted_by_hand_counts_as_deleted(rig):
    issue = rig.issue("Remember: gone", "text")
    rig.ingest()
    del rig.repo.issues[issue.number]
    done = rig.owner.run("sync")
    assert done.err == ""
    assert rig.record("inbox") == {}


def test_the_detached_sync_deletes_too(rig):
    issue = rig.issue("Remember: behind the back", "text")
    rig.ingest()
    rig.owner.run("config", "set", "sync.auto", "true")
    rig.owner.run("sync", "--background")
    assert rig.repo.deleted == {issue.number}


def test_a_record_can_have_no_other_issue_deleted(rig):
    mine = rig.issue("A bug of mine", "closed and precious")
    mine.state = "closed"
    far = rig.hub.issue(rig.hub.repository("ada/other"), "Taken into the vault", "text")
    far.state = "closed"
    reopened = rig.issue("Taken into the vault", "")
    rig.record("inbox", {"erase": [mine.node_id, far.node_id, reopened.node_id]})
    rig.owner.run("sync")
    assert rig.repo.deleted == set()
    assert far.number in rig.hub.repositories["ada/other"].issues
    assert rig.record("inbox") == {"erase": [reopened.node_id]}


def test_the_token_goes_to_no_address_that_only_the_record_names(rig):
    rig.issue("Remember: x", "y")
    rig.ingest()
    rig.forget_token()
    rig.owner.run("config", "set", "github.url", "https://elsewhere.example")
    done = rig.owner.run("sync", env={"GH_TOKEN": "x"})
    assert "another GitHub" in done.err
    assert done.code == 0


def test_a_vault_without_github_says_so(tmp_path):
    from machine import Machine

    alone = Machine.new(tmp_path / "alone").init()
    for command in (["ingest"], ["link"], ["page", str(tmp_path / "x.html")]):
        done = alone.run("inbox", *command, code=None, env={"GH_TOKEN": "x"})
        assert done.code in (10, 18), done
    assert alone.run("inbox").out == "The inbox is empty.\n"
