"""The index is a function of a commit: whatever happened, it equals one that was made anew."""

import os
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from gitmem.errors import NotFoundError
from gitmem.flows import sync, undo
from gitmem.index.filters import Filters
from gitmem.index.index import Index
from tests.store.conftest import Devices

WORDS = st.lists(st.sampled_from("amber birch cedar delta ember fjord".split()), min_size=1, max_size=5)


def seen_through(index):
    rows = index.rows(Filters(everything=True))
    found = {
        word: [one.id for one in index.search(word, Filters(), 50)] for word in ("amber", "cedar", "fjord")
    }
    return rows, {word: sorted(ids) for word, ids in found.items()}


def rebuilt(store, folder):
    index = Index.open(os.path.join(folder, "anew.db"), store.vault.index_key, store.vault.id)
    index.apply(store.tip(), [], store.memories())
    try:
        return seen_through(index)
    finally:
        index.close()
        for name in os.listdir(folder):
            if name.startswith("anew.db"):
                os.unlink(os.path.join(folder, name))


class Life(RuleBasedStateMachine):
    """Two devices living through a mixture of changes; the last step compares."""

    make_folder = None

    @initialize()
    def begin(self):
        self.folder = Life.make_folder()
        self.devices = Devices(self.folder)
        first = self.devices.first()
        self.both = [first, self.devices.another()]

    @rule(which=st.integers(0, 1), words=WORDS)
    def write(self, which, words):
        self.both[which].write([self.devices.memory(" ".join(words), title=words[0])])

    @rule(which=st.integers(0, 1), pick=st.integers(0, 9), words=WORDS)
    def edit(self, which, pick, words):
        store = self.both[which]
        rows = store.rows(Filters(everything=True))
        if rows:
            memory = store.get(rows[pick % len(rows)].id)
            store.replace(replace(memory, body=" ".join(words), rev=memory.rev + 1))

    @rule(which=st.integers(0, 1), pick=st.integers(0, 9))
    def forget(self, which, pick):
        rows = self.both[which].rows(Filters(everything=True))
        if rows:
            self.both[which].forget([rows[pick % len(rows)].id])

    @rule(which=st.integers(0, 1))
    def undo(self, which):
        try:
            undo.undo(self.both[which])
        except NotFoundError:
            pass

    @rule(which=st.integers(0, 1))
    def sync(self, which):
        sync.sync(self.both[which])

    @rule(which=st.integers(0, 1), how=st.sampled_from(["delete", "cut", "garble"]))
    def damage_the_index(self, which, how):
        store = self.both[which]
        _ = store.index
        store.close()
        path = os.path.join(store.repo.folder, "index.db")
        if how == "delete":
            os.unlink(path)
        else:
            with open(path, "r+b") as file:
                file.truncate(2000) if how == "cut" else file.write(os.urandom(3000))
        self.both[which] = self.devices.open(self.folder / os.path.basename(store.path))

    def teardown(self):
        for store in getattr(self, "both", []):
            assert seen_through(store.index) == rebuilt(store, self.folder)
            store.close()


def test_after_any_mixture_of_changes_the_index_equals_a_rebuilt_one(tmp_path_factory):
    Life.make_folder = staticmethod(lambda: tmp_path_factory.mktemp("life"))
    Life.TestCase.settings = settings(
        max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Life.TestCase("runTest").runTest()
