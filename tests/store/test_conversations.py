"""The 128 conversations of the shared data: in by one commit, found, out, and in again."""

import json
import subprocess

import pytest

from gitmem.flows.export import export_lines
from gitmem.flows.importing import Options, import_path
from gitmem.index.filters import Filters


@pytest.fixture
def conversations(data_dir):
    return data_dir / "locomo" / "dev-memories.jsonl"


def test_they_import_in_one_commit_are_found_and_come_back_the_same(devices, conversations, tmp_path):
    store = devices.first(bare=True)
    before = int(
        subprocess.run(["git", "-C", store.path, "rev-list", "--count", "main"], capture_output=True).stdout
    )
    report = import_path(store, str(conversations), Options())
    after = int(
        subprocess.run(["git", "-C", store.path, "rev-list", "--count", "main"], capture_output=True).stdout
    )
    assert (report.added, after - before) == (128, 1)
    best = store.search("LGBTQ support group", Filters(), 5)[0].memory
    wanted = [json.loads(line) for line in conversations.read_text().splitlines()]
    first = next(one for one in wanted if one["source"] == "conv-26/D1")
    assert "LGBTQ support group" in best.body
    assert best.body == first["body"].rstrip("\n")

    again = import_path(store, str(conversations), Options())
    assert (again.added, again.commit) == (0, "")

    out = tmp_path / "all.jsonl"
    export_lines(store, str(out))
    (tmp_path / "twin").mkdir()
    twin = type(devices)(tmp_path / "twin").first(bare=True)
    import_path(twin, str(out), Options(keep=True))
    assert list(twin.memories()) == list(store.memories())
    twin.close()
