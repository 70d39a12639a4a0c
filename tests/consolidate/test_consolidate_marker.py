"""The marker after what rewrites a history: looked at stays looked at, and what is new is found."""

from functools import partial

import pytest

from gitmem import config
from gitmem.flows import keyring
from gitmem.flows.consolidate import marker
from gitmem.flows.purge import purge
from gitmem.flows.rekey import rekey


def asked(vault, scripted):
    engine = scripted(lambda _: [])
    vault.run(engine, dry_run=True)
    return [one.body for group in engine.asked for one in group.new]


@pytest.fixture
def looked(vault, scripted):
    """A vault whose memories were looked at, but for the last."""
    vault.written = vault.write("The door is red.", "The roof is flat.")
    vault.run(scripted(lambda _: []))
    vault.write("The hall is wide.")
    return vault


def test_a_purge_rewrites_commits_and_the_marker_follows(looked, scripted):
    purge(looked.store, [looked.written[0].id], lambda _: None)
    seen = marker.read(looked.store).seen
    assert not looked.store.trunk.history.contains(looked.store.tip(), seen)
    assert asked(looked, scripted) == ["The hall is wide."]


def test_a_rekey_seals_every_file_anew_and_makes_nothing_new(looked, scripted):
    vault_id = looked.store.vault.id
    config.write_private(config.key_path(vault_id), looked.store.vault.identity.text)
    looked.store.trunk.keys = partial(keyring.kept, vault_id)
    rekey(looked.store, "", lambda _: None)
    looked.write("The cellar is dry.")
    assert asked(looked, scripted) == ["The hall is wide.", "The cellar is dry."]


def test_a_marker_of_another_history_falls_back_to_what_both_have_in_common(looked, scripted):
    side = looked.git("commit-tree", "-p", "HEAD~2", "-m", "x", "HEAD~2^{tree}")
    mark = marker.Marker(side)
    looked.store.trunk.grow(lambda tip: marker.change(looked.store, mark, tip), "change 1 record")
    assert asked(looked, scripted) == ["The hall is wide."]


def test_what_changed_the_sharing_is_news_too(looked, scripted):
    from gitmem.flows.records import keep

    looked.run(scripted(lambda _: []))
    heard = []

    def narrate(project, memories):
        heard.append((project, sorted(one.body for one in memories)))

    looked.run(scripted(lambda _: [], narrate))
    assert heard == []
    keep(looked.store, "sharing", {"kinds": ["note"]}, "change 1 record")
    looked.run(scripted(lambda _: [], narrate))
    assert heard == [("", ["The door is red.", "The hall is wide.", "The roof is flat."])]
