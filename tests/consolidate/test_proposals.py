"""A consolidation on a branch of its own: looked at, accepted, rejected, overtaken, forged."""

import subprocess

import pytest

from gitmem.errors import ConflictError, NotFoundError, RemoteError, TamperedError
from gitmem.flows.consolidate import proposal
from gitmem.flows.purge import purge
from gitmem.flows.sync import sync
from gitmem.memory.ids import path_of
from gitmem.memory.plan import Step


def noted(group):
    return [Step(action="create", sources=(one.id,), body=f"Noted: {one.body}") for one in group.new]


@pytest.fixture
def proposed(devices, scripted):
    """A device with a remote, two memories, and a proposal of two more."""
    device = devices.first(remote=True)
    device.written = device.write("The door is red.", "The roof is flat.")
    sync(device.store)
    device.report = device.run(scripted(noted), propose=True)
    return device


def on_remote(devices):
    done = subprocess.run(
        ["git", "-C", devices.remote, "for-each-ref", "--format=%(refname) %(objectname)"],
        capture_output=True,
        text=True,
    )
    return dict(line.split() for line in done.stdout.splitlines())


def test_a_proposal_lies_on_its_branch_here_and_on_the_remote_and_moves_nothing_else(proposed, devices):
    assert proposed.report.proposed
    assert on_remote(devices)[proposal.BRANCH] == proposed.report.commit
    assert on_remote(devices)["refs/heads/main"] == proposed.store.tip()
    assert len(proposed.all()) == 2
    offer = proposal.pending(proposed.store)
    assert sorted(change.after.body for change in offer.changes) == [
        "Noted: The door is red.",
        "Noted: The roof is flat.",
    ]


def test_accepting_is_a_fast_forward_that_clears_the_branch_and_asks_nothing_again(
    proposed, devices, scripted
):
    tip = proposal.accept(proposed.store, proposal.pending(proposed.store))
    assert tip == proposed.report.commit
    assert len(proposed.all()) == 4
    assert proposal.BRANCH not in on_remote(devices)
    assert proposed.run(scripted(noted)).looked == 0
    with pytest.raises(NotFoundError):
        proposal.pending(proposed.store)


def test_accepting_after_unrelated_news_brings_it_over_as_documents(proposed, scripted):
    proposed.write("The hall is wide.")
    proposal.accept(proposed.store, proposal.pending(proposed.store))
    assert len(proposed.all()) == 5
    assert proposed.subjects()[0] == "consolidate 2 memories"
    engine = scripted(noted)
    proposed.run(engine)
    assert [one.body for group in engine.asked for one in group.new] == ["The hall is wide."]


def test_a_proposal_that_rests_on_a_changed_memory_is_refused(proposed):
    door = proposed.written[0]
    proposed.store.replace(proposed.memory("The door is blue.", id=door.id, rev=2))
    before = proposed.tree()
    with pytest.raises(ConflictError, match="changed since"):
        proposal.accept(proposed.store, proposal.pending(proposed.store))
    assert proposed.tree() == before


def test_a_proposal_that_another_consolidation_overtook_is_refused(proposed, scripted):
    proposed.run(scripted(noted))
    with pytest.raises(ConflictError, match="else was consolidated"):
        proposal.accept(proposed.store, proposal.pending(proposed.store))


def test_a_rejected_proposal_goes_and_does_not_come_back(proposed, devices, scripted):
    before = proposed.all()
    proposal.reject(proposed.store, proposal.pending(proposed.store))
    assert proposed.all() == before
    assert proposed.subjects()[0] == "reject 1 proposal"
    assert proposal.BRANCH not in on_remote(devices)
    engine = scripted(noted)
    assert not proposed.run(engine, propose=True).commit
    assert engine.asked == []


def test_while_a_proposal_waits_and_nothing_is_new_nothing_is_asked(proposed, scripted):
    engine = scripted(noted)
    assert proposed.run(engine, propose=True).waiting
    proposed.write("The hall is wide.")
    report = proposed.run(scripted(noted), propose=True)
    assert (len(report.made), report.proposed) == (3, True)
    assert len(proposal.pending(proposed.store).changes) == 3


def test_another_device_finds_the_proposal_and_decides(proposed, devices):
    other = devices.another()
    proposal.accept(other.store, proposal.pending(other.store))
    sync(other.store)
    sync(proposed.store)
    assert len(proposed.all()) == 4
    with pytest.raises(NotFoundError):
        proposal.pending(proposed.store)


def test_what_no_key_holder_made_is_not_opened(proposed, devices, monkeypatch):
    clone = devices.folder / "clone"
    run = dict(check=True, capture_output=True)
    subprocess.run(["git", "clone", "-q", "-b", "gitmem/proposal", devices.remote, clone], **run)
    victim = next((clone / "memories").rglob("*.age"))
    victim.write_bytes(victim.read_bytes()[::-1])
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run(["git", "-C", clone, *who, "commit", "-qam", "consolidate 2 memories"], **run)
    subprocess.run(["git", "-C", clone, "push", "-q", "origin", "gitmem/proposal"], **run)
    monkeypatch.setattr(type(proposed.store), "load", lambda *_: pytest.fail("a memory was opened"))
    with pytest.raises(TamperedError):
        proposal.pending(proposed.store)


def test_undo_takes_an_accepted_proposal_back(proposed):
    from gitmem.flows.undo import undo

    before = proposed.tree()
    proposal.accept(proposed.store, proposal.pending(proposed.store))
    undo(proposed.store)
    assert proposed.tree() == before


def test_a_proposal_rejected_on_another_device_is_gone_here_too(proposed, devices):
    other = devices.another()
    proposal.reject(other.store, proposal.pending(other.store))
    sync(other.store)
    sync(proposed.store)
    assert proposed.store.repo.tip(proposal.BRANCH)
    with pytest.raises(NotFoundError):
        proposal.pending(proposed.store)
    assert not proposed.store.repo.tip(proposal.BRANCH)


def test_a_proposal_that_could_not_be_pushed_is_found_later(devices, scripted):
    device = devices.first(remote=True)
    device.write("The door is red.")
    sync(device.store)
    away = devices.remote.rename(devices.folder / "away")
    with pytest.raises(RemoteError):
        device.run(scripted(noted), propose=True)
    assert len(device.all()) == 1
    away.rename(devices.remote)
    device.run(scripted(noted), propose=True)
    assert len(proposal.pending(device.store).changes) == 1


def test_a_proposal_by_a_stranger_blocks_nothing(proposed, devices, scripted):
    clone = devices.folder / "clone"
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    for arguments in (
        ["clone", "-q", str(devices.remote), str(clone)],
        ["-C", str(clone), *who, "commit", "-q", "--allow-empty", "-m", "consolidate 2 memories"],
        ["-C", str(clone), "push", "-q", "-f", "origin", "HEAD:refs/heads/gitmem/proposal"],
    ):
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    with pytest.raises(TamperedError, match="--mode propose"):
        proposal.pending(proposed.store)
    report = proposed.run(scripted(noted), propose=True)
    assert on_remote(devices)[proposal.BRANCH] == report.commit
    assert len(proposal.pending(proposed.store).changes) == 2


def test_the_branch_can_be_named_to_look_at_it(proposed):
    assert proposed.store.resolve_commit("gitmem/proposal") == proposed.report.commit


def test_what_changes_nothing_is_not_proposed(vault):
    vault.write("We ship on Thursdays", project="p")
    report = vault.run(propose=True)
    assert not report.proposed
    assert not report.made
    assert not vault.run(propose=True).looked


def test_a_purge_takes_a_waiting_proposal_away_everywhere_and_the_next_run_makes_it_anew(
    proposed, devices, scripted
):
    other = devices.another()
    assert proposal.pending(other.store).commit == proposed.report.commit
    gone = proposed.written[0].id
    blob = proposed.store.repo.blob(proposed.store.tip(), path_of(gone))
    done = purge(proposed.store, [gone], lambda _: None)
    assert (done.holders, done.remote_cleaned, done.remote_holders) == ((), True, ())
    assert proposal.BRANCH not in on_remote(devices)
    sync(other.store)
    for place in (proposed.store.path, other.store.path, devices.remote):
        for oid in (blob, proposed.report.commit):
            found = subprocess.run(["git", "-C", place, "cat-file", "-e", oid], capture_output=True)
            assert found.returncode, (place, oid)
    report = proposed.run(scripted(noted), propose=True)
    assert report.proposed and not report.waiting
    assert [change.after.body for change in proposal.pending(other.store).changes] == [
        "Noted: The roof is flat."
    ]
