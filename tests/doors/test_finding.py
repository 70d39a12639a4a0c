"""Which vault and which key a command uses."""

from __future__ import annotations

import os

import pytest

from gitmem import app, config
from gitmem.errors import ConfigError, NotSetUpError
from gitmem.vault.keys import Identity

ONE, TWO = "1" * 32, "2" * 32


@pytest.fixture
def vaults(tmp_path, monkeypatch):
    for name, vault_id in (("one", ONE), ("two", TWO)):
        (tmp_path / name / "notes").mkdir(parents=True)
        config.remember(vault_id, str(tmp_path / name))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return {name: os.path.realpath(tmp_path / name) for name in ("one", "two", "elsewhere")}


def test_without_any_vault_the_error_says_how_to_begin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotSetUpError, match=r"gitmem init.*gitmem join"):
        app.find()
    assert not app.has_vault()


def test_several_vaults_and_no_default_is_a_question_not_a_guess(vaults):
    with pytest.raises(NotSetUpError, match="2 vaults"):
        app.find()


def test_the_only_vault_is_used_from_anywhere(vaults):
    config.forget(TWO)
    assert app.find() == vaults["one"]


def test_the_default_is_used_when_nothing_else_says(vaults):
    config.put("vault.default", vaults["two"])
    assert app.find() == vaults["two"]


def test_the_working_folder_beats_the_default(vaults, monkeypatch):
    config.put("vault.default", vaults["two"])
    monkeypatch.chdir(os.path.join(vaults["one"], "notes"))
    assert app.find() == vaults["one"]


def test_the_environment_beats_the_working_folder_and_the_option_beats_both(vaults, monkeypatch):
    monkeypatch.chdir(vaults["one"])
    monkeypatch.setenv("GITMEM_VAULT", vaults["two"])
    assert app.find() == vaults["two"]
    assert app.find(vaults["elsewhere"]) == vaults["elsewhere"]


def test_a_folder_inside_a_named_vault_means_that_vault(vaults):
    assert app.find(os.path.join(vaults["one"], "notes")) == vaults["one"]


def test_a_vault_in_the_working_folder_that_nobody_joined_here_does_not_count(vaults, tmp_path, monkeypatch):
    config.forget(TWO)
    stranger = tmp_path / "stranger"
    (stranger / ".gitmem").mkdir(parents=True)
    (stranger / ".gitmem" / "vault.toml").write_text(
        f'format = 1\nid = "{TWO}"\nfingerprint = "{"0" * 16}"\n'
    )
    monkeypatch.chdir(stranger)
    assert app.find() == vaults["one"]


def test_a_link_to_a_vault_is_followed(vaults, tmp_path, monkeypatch):
    link = tmp_path / "link"
    link.symlink_to(vaults["one"])
    monkeypatch.chdir(link)
    assert app.find() == vaults["one"]


def test_a_vault_that_was_moved_away_is_named(vaults):
    os.rename(vaults["one"], vaults["one"] + "-moved")
    config.forget(TWO)
    with pytest.raises(NotSetUpError, match=r"no vault at .*one"):
        app.find()


def test_keys_come_from_the_environment_first_then_from_the_file(vaults, monkeypatch):
    first, second = Identity.generate(), Identity.generate()
    config.write_private(config.key_path(ONE), f"# a remark\n{first.text}\n")
    assert app.identity_of(ONE, vaults["one"]) == first
    monkeypatch.setenv("GITMEM_KEY", second.text)
    assert app.identity_of(ONE, vaults["one"]) == second
    monkeypatch.setenv("GITMEM_KEY", "")
    assert app.identity_of(ONE, vaults["one"]) == first


@pytest.mark.skipif(os.name != "posix", reason="mode bits")
def test_a_key_file_that_others_can_read_is_closed_and_that_is_said_once(vaults, capsys):
    path = config.key_path(ONE)
    config.write_private(path, Identity.generate().text)
    os.chmod(path, 0o644)
    app.identity_of(ONE, vaults["one"])
    assert "its mode is now 0600" in capsys.readouterr().err
    assert not config.is_shared(path)
    app.identity_of(ONE, vaults["one"])
    assert capsys.readouterr().err == ""


def test_a_malformed_key_is_our_error_and_does_not_show_it(vaults, monkeypatch):
    monkeypatch.setenv("GITMEM_KEY", "AGE-SECRET-KEY-1NOTREALLY")
    with pytest.raises(ConfigError) as caught:
        app.identity_of(ONE, vaults["one"])
    assert "NOTREALLY" not in str(caught.value)


def test_claude_code_is_recognised_and_a_person_otherwise(monkeypatch):
    assert app.origin() == ("self", "")
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_SESSION_ID", "old")
    assert app.origin() == ("assistant", "old")
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "new")
    assert app.origin() == ("assistant", "new")
