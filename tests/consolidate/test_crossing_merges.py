"""What two devices decide at once, and what their decisions come to once they meet."""

from gitmem.flows.consolidate.gather import holding
from gitmem.flows.sync import sync
from gitmem.index.filters import Filters
from gitmem.memory.digest import select
from gitmem.memory.plan import Step
from gitmem.memory.sharing import Rules

ONE = "The backup of the server runs nightly at two o'clock."
OTHER = "The backup runs nightly at two o'clock on the server."


def into(stays, goes):
    """An engine's answer that merges the one memory into the other."""
    return lambda _: [Step(action="merge", sources=(goes.id,), target=stays.id)]


def test_merges_in_opposite_directions_on_two_devices_leave_one_of_the_two_everywhere(devices, scripted):
    here = devices.first(remote=True)
    one, other = here.write(ONE, OTHER, share=True)
    sync(here.store)
    there = devices.another()
    assert here.run(scripted(into(one, other))).commit
    assert there.run(scripted(into(other, one))).commit
    for vault in (here, there, here):
        sync(vault.store)
    everything = here.all()
    assert everything[one.id].supersedes == (other.id,)
    assert everything[other.id].supersedes == (one.id,)
    first = min(one.id, other.id)
    for vault in (here, there):
        store, now = vault.store, vault.store.now()
        assert [row.id for row in store.rows(Filters(now=now))] == [first]
        assert [hit.memory.id for hit in store.search("backup", Filters(now=now), 10)] == [first]
        assert [hit.memory.id for hit in store.search("backup", Filters(project=""), 10)] == [first]
        assert [row.superseded for row in store.rows(Filters(everything=True)) if row.id == first] == [False]
        assert [memory.id for memory in holding(vault.all().values(), now)] == [first]
        assert [memory.id for memory in select(vault.all().values(), Rules(), now).ranked] == [first]


def test_what_stayed_of_a_crossing_can_be_replaced_by_a_third(devices, scripted):
    here = devices.first(remote=True)
    one, other = here.write(ONE, OTHER)
    sync(here.store)
    there = devices.another()
    here.run(scripted(into(one, other)))
    there.run(scripted(into(other, one)))
    for vault in (here, there, here):
        sync(vault.store)
    (third,) = here.write(f"{ONE} It takes an hour.", supersedes=(min(one.id, other.id),))
    assert [row.id for row in here.store.rows(Filters())] == [third.id]
