"""Trees: what the editor writes is what git itself would write, and differences are what git sees."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gitmem.errors import GitmemError, NotFoundError, TamperedError
from gitmem.repo.objects import Objects, blob_id, tree_id
from gitmem.repo.repo import Repo
from gitmem.repo.trees import differences, edit_entries, edit_tree, entries, lookup

ONE = (b"100644", blob_id(b"1"))
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
NAMES = st.sampled_from(
    [
        "a",
        "a.",
        "a-",
        "a0",
        "ab",
        "A",
        "ü",
        "b c",
        "x\ny",
        'q"',
        "-",
        "\u202e",
        "memories",
        ".gitmem",
        "\udcff",
    ]
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
BLOBS = st.sampled_from([(b"100644", blob_id(b"1")), (b"100644", blob_id(b"2")), (b"100755", blob_id(b"1"))])
FILES = st.dictionaries(PATHS, BLOBS, max_size=8)
ONCE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    subprocess.run(["git", "init", "-q", tmp_path / "r"], check=True)
    found = Repo.open(str(tmp_path / "r"))
    for content in (b"1", b"2"):
        found.objects.write("blob", content)
    found.objects.flush()
    yield found
    found.close()


def without_clashes(files: dict[str, tuple[bytes, str]]) -> dict[str, tuple[bytes, str]]:
    """No path is a file here and a folder there."""
    folders = {path.rsplit("/", cut)[0] for path in files for cut in range(1, path.count("/") + 1)}
    return {path: value for path, value in files.items() if path not in folders}


def by_git(repo: Repo, files: dict[str, tuple[bytes, str]]) -> str:
    """The tree that git makes of those files."""
    env = {"GIT_INDEX_FILE": f"{repo.git_dir}/test-index"}
    lines = b"".join(
        b"%b %b\t%b\0" % (mode, oid.encode(), path.encode("utf-8", "surrogateescape"))
        for path, (mode, oid) in files.items()
    )
    assert repo.git.status("read-tree", "--empty", env=env)[0] == 0
    assert repo.git.status("update-index", "-z", "--index-info", data=lines, env=env)[0] == 0
    return repo.git.status("write-tree", env=env)[1].decode().strip()


@ONCE
@given(FILES, st.dictionaries(PATHS, st.none() | BLOBS, max_size=6))
@example({}, {})
@example({"a": ONE}, {"a": None})
@example({"a/x": ONE, "a.": ONE}, {"a0": ONE})
def test_an_edited_tree_is_the_one_that_git_writes(
    repo: Repo, start: dict[str, tuple[bytes, str]], changes: dict[str, tuple[bytes, str] | None]
) -> None:
    start = without_clashes(start)
    wanted = {**start, **{path: value for path, value in changes.items() if value}}
    wanted = {path: value for path, value in wanted.items() if changes.get(path, value)}
    files = {path for path in {**start, **wanted} if wanted.get(path, start.get(path))}
    below = {path for path in changes if any(path.startswith(f"{file}/") for file in files)}
    above = {path for path in changes if any(file.startswith(f"{path}/") for file in files)}
    if without_clashes(wanted) != wanted or (below | above) - set(wanted):
        return  # files and folders that change places have tests of their own
    made = edit_tree(repo.objects, by_git(repo, start), changes, repo.objects.write)
    repo.objects.flush()
    assert (made or EMPTY) == by_git(repo, wanted)
    for path in {*start, *changes}:
        entry = lookup(repo.objects, made, path) if made else None
        found = (entry.mode, entry.oid) if entry and entry.mode != b"40000" else None
        assert found == wanted.get(path)


@ONCE
@given(FILES, FILES)
def test_differences_are_those_that_git_finds(
    repo: Repo, before: dict[str, tuple[bytes, str]], after: dict[str, tuple[bytes, str]]
) -> None:
    old, new = (by_git(repo, without_clashes(files)) for files in (before, after))
    out = repo.git.run("diff-tree", "-r", "-z", "--no-renames", old, new).split(b"\0")
    found = {path: meta.split()[2:4] for meta, path in zip(out[::2], out[1::2], strict=False)}
    ours: dict[bytes, list[bytes]] = {}
    for change in differences(repo.objects, old, new):
        sides = [(entry.oid if entry else "0" * 40).encode() for entry in (change.old, change.new)]
        ours[change.path.encode("utf-8", "surrogateescape")] = sides
    assert ours == found
    only = {path for path in ours if path.startswith(b"memories/") or path == b"memories"}
    below = {
        change.path.encode("utf-8", "surrogateescape")
        for change in differences(repo.objects, old, new, top=b"memories")
    }
    assert below == only


def test_removing_what_is_not_below_a_file_leaves_the_file(repo: Repo) -> None:
    start = by_git(repo, {"a": ONE})
    assert edit_tree(repo.objects, start, {"a/x": None}, repo.objects.write) == start


def test_a_file_can_take_the_place_of_a_folder(repo: Repo) -> None:
    start = by_git(repo, {"a/x": ONE, "b": ONE})
    made = edit_tree(repo.objects, start, {"a": ONE, "a/x": None}, repo.objects.write)
    assert made == by_git(repo, {"a": ONE, "b": ONE})


def test_a_folder_can_take_the_place_of_a_file(repo: Repo) -> None:
    start = by_git(repo, {"a": ONE, "b": ONE})
    made = edit_tree(repo.objects, start, {"a/x": ONE, "a": None}, repo.objects.write)
    assert made == by_git(repo, {"a/x": ONE, "b": ONE})


def test_judging_an_edit_writes_nothing(repo: Repo) -> None:
    start = by_git(repo, {"a": ONE})
    before = repo.git.run("count-objects")
    edit_entries(repo.objects, start, {"b/c/d": ONE}, tree_id)
    assert repo.git.run("count-objects") == before


@pytest.mark.parametrize("tree", [b"x", b"100644 a", b"100644 a\0", b"100644 a\0" + b"1" * 19, b"\0" * 30])
def test_what_is_no_tree_is_refused(tree: bytes) -> None:
    with pytest.raises(GitmemError):
        _ = [bytes.fromhex(entry.oid) if len(entry.oid) == 40 else _short() for entry in entries(tree)]


def _short() -> None:
    raise TamperedError("an entry without a whole id")


def test_entries_come_as_they_stand() -> None:
    raw = b"100644 b\0" + b"1" * 20 + b"40000 a\0" + b"2" * 20 + b"100644 b\0" + b"3" * 20
    assert [(entry.mode, entry.name) for entry in entries(raw)] == [
        (b"100644", b"b"),
        (b"40000", b"a"),
        (b"100644", b"b"),
    ]


def test_objects_are_found_loose_and_packed_and_only_up_to_a_size(repo: Repo) -> None:
    oid = repo.objects.write("blob", b"x" * 1000)
    repo.objects.flush()
    assert repo.git.run("cat-file", "blob", oid) == b"x" * 1000
    repo.git.run("repack", "-adkq")
    repo.git.run("prune-packed")
    packed = Objects(repo.git, f"{repo.common_dir}/objects")
    assert packed.read(oid) == b"x" * 1000
    assert packed.has(oid)
    for objects in (packed, Objects(repo.git, f"{repo.common_dir}/objects")):
        with pytest.raises(TamperedError):
            next(objects.read_many([oid], 999))
    packed.close()


def test_a_missing_object_is_said_to_be_missing(repo: Repo) -> None:
    with pytest.raises(NotFoundError):
        repo.objects.read("1" * 40)
    assert not repo.objects.has("1" * 40)


def test_a_damaged_loose_object_is_refused(repo: Repo) -> None:
    oid = repo.objects.write("blob", b"y" * 1000)
    repo.objects.flush()
    path = Path(repo.common_dir) / "objects" / oid[:2] / oid[2:]
    path.chmod(0o600)
    path.write_bytes(b"junk" + path.read_bytes()[4:])
    with pytest.raises(TamperedError):
        Objects(repo.git, f"{repo.common_dir}/objects").read(oid)


@pytest.mark.parametrize("count", [63, 64, 65, 200])
def test_many_objects_come_in_order(repo: Repo, count: int) -> None:
    oids = [repo.objects.write("blob", b"%d" % number) for number in range(count)]
    repo.objects.flush()
    assert list(repo.objects.read_many(oids)) == [b"%d" % number for number in range(count)]
