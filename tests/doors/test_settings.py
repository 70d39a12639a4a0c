"""Settings, folders, private files and the list of vaults that a machine knows."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem import config, settings
from gitmem.errors import ConfigError, GitmemError


def test_a_setting_that_was_never_set_has_its_default():
    assert config.get("search.limit") == 10
    assert config.changed() == frozenset()


def test_a_setting_is_kept_and_read_back_in_its_own_type():
    assert config.put("sync.auto", "no") is False
    assert config.put("search.limit", "1_000") == 1000
    assert (config.get("sync.auto"), config.get("search.limit")) == (False, 1000)
    assert config.changed() == {"sync.auto", "search.limit"}


def test_a_mistyped_setting_is_answered_with_its_neighbours():
    with pytest.raises(ConfigError, match=r"sync\.auto"):
        config.get("sync.auot")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sync.auto", "maybe"),
        ("search.limit", "0"),
        ("search.limit", "ten"),
        ("search.limit", "9" * 5000),
        ("author.name", "A <b>"),
        ("author.name", "two\nlines"),
        ("author.email", "  "),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_nothing_changes(name, text):
    before = config.get(name)
    with pytest.raises(ConfigError):
        config.put(name, text)
    assert config.get(name) == before


@given(st.sampled_from(sorted(settings.SETTINGS)), st.text(max_size=30))
def test_parsing_a_setting_raises_only_our_errors(name, text):
    try:
        value = settings.SETTINGS[name].parse(text.replace("\0", ""))
    except GitmemError:
        return
    assert type(value) is type(settings.SETTINGS[name].default)


def test_a_value_of_the_wrong_type_in_the_file_counts_as_unset():
    config.write_private(
        os.path.join(config.config_dir(), "config.json"), json.dumps({"search.limit": "many"})
    )
    assert config.get("search.limit") == 10


def test_a_broken_settings_file_is_named_and_left_alone():
    path = os.path.join(config.config_dir(), "config.json")
    config.write_private(path, "{")
    with pytest.raises(ConfigError, match=r"config\.json is not valid JSON"):
        config.get("search.limit")
    with pytest.raises(ConfigError):
        config.put("search.limit", "5")
    assert config.read_private(path) == "{"


def test_relative_xdg_folders_count_as_unset(monkeypatch, home):
    monkeypatch.setattr(config.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    assert config.config_dir() == os.path.join(os.path.expanduser("~"), ".config", "gitmem")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "there"))
    assert config.config_dir() == str(home / "there" / "gitmem")


def test_each_system_has_its_own_folders(monkeypatch, home):
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config.sys, "platform", "darwin")
    assert config.state_dir().endswith(os.path.join("Library", "Application Support", "gitmem"))
    monkeypatch.setattr(config.sys, "platform", "win32")
    monkeypatch.setenv("APPDATA", str(home / "roaming"))
    assert config.config_dir() == str(home / "roaming" / "gitmem")


@pytest.mark.skipif(os.name != "posix", reason="mode bits")
def test_private_files_are_for_their_owner_alone():
    path = config.key_path("ab" * 16)
    config.write_private(path, "secret\n")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert not config.is_shared(path)
    os.chmod(path, 0o640)
    assert config.is_shared(path)
    config.make_private(path)
    assert not config.is_shared(path)


def test_a_private_file_that_cannot_be_written_is_one_clear_sentence(home):
    (home / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        config.write_private(str(home / "file" / "key"), "x")


def test_the_newest_place_of_a_vault_counts(tmp_path):
    config.remember("a" * 32, str(tmp_path / "one"))
    config.remember("b" * 32, str(tmp_path / "two"))
    config.remember("a" * 32, str(tmp_path / "three"))
    assert config.vaults() == {
        "a" * 32: os.path.realpath(tmp_path / "three"),
        "b" * 32: os.path.realpath(tmp_path / "two"),
    }
    config.forget("a" * 32)
    assert list(config.vaults()) == ["b" * 32]


def test_vaults_noted_at_the_same_time_are_all_kept(tmp_path):
    names = [f"{number:032x}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: config.remember(name, str(tmp_path / name)), names))
    assert sorted(config.vaults()) == names


def test_a_held_lock_is_seen_by_others_and_free_afterwards():
    with config.hold("x") as first, config.hold("x", wait=False) as second:
        assert (first, second) == (True, False)
    with config.hold("x", wait=False) as third:
        assert third
