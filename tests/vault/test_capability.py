"""The secret path: nobody without the key can tell one from another, and time moves it as it was asked to."""

import base64
import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.errors import ConfigError
from gitmem.vault.capability import WINDOWS, is_path, paths
from gitmem.vault.keys import Identity, derive

KEY = Identity(bytes(range(32)))
VAULT = "00112233445566778899aabbccddeeff"
FROZEN = {
    "never": "BScfJOMy3PT-4O_N5CPAuMqnynv1ysrr",
    "daily": "GuqlOgmD8MsBTbeZKyjlBl5lLAcwJHe1",
    "weekly": "ZxNC-HDXmKqx_M0rOoTLW7BpQ-G5n1wE",
    "monthly": "K2EbpH3ZcrbUBHXgu_R_nn1lTvC5wKiV",
}
times = st.datetimes().map(
    lambda when: when.replace(year=2000 + when.year % 100).strftime("%Y-%m-%dT%H:%M:%SZ")
)


def current(now="2026-11-20T07:00:00Z", window="never", rotation=0, key=KEY, vault=VAULT):
    return paths(key, vault, rotation, window, now).current


def test_the_path_is_the_same_on_every_device_and_in_every_version():
    # Frozen: an address that somebody has pasted must go on working.
    assert {window: current(window=window) for window in WINDOWS} == FROZEN


def test_the_path_is_what_the_format_says():
    key = derive(KEY, VAULT, "site")
    mac = hmac.new(key, b"gitmem digest\x003\x00monthly\x002026-11-01", hashlib.sha256).digest()[:24]
    path = base64.urlsafe_b64encode(bytes([mac[0] & 127]) + mac[1:]).decode()
    assert current(window="monthly", rotation=3) == path


@given(times, st.sampled_from(WINDOWS), st.integers(0, 1000))
def test_every_path_is_one_segment_that_any_host_serves(now, window, rotation):
    found = paths(KEY, VAULT, rotation, window, now)
    assert found.current == found.every[0] and len(set(found.every)) == len(found.every) <= 3
    assert all(is_path(one) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{31}", one) for one in found.every)


def test_key_vault_rotation_and_window_each_change_it():
    other = Identity(bytes(32))
    found = {
        current(), current(key=other), current(vault="f" * 32), current(rotation=1), current(window="daily"),
        current(window="weekly"), current(window="monthly"),
    }  # fmt: skip
    assert len(found) == 7


@pytest.mark.parametrize(
    ("window", "last", "first", "until"),
    [
        ("daily", "2026-11-20T23:59:59Z", "2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z"),
        ("weekly", "2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("monthly", "2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("monthly", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("monthly", "2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z", "2028-03-01T00:00:00Z"),
    ],
)
def test_a_window_ends_on_time_and_both_paths_are_up_around_its_end(window, last, first, until):
    before, after = (paths(KEY, VAULT, 0, window, now) for now in (last, first))
    assert before.current != after.current and before.until == until
    assert after.current in before.every and before.current in after.every


@pytest.mark.parametrize(
    ("window", "ended", "gone"),
    [
        ("daily", "2026-11-19T12:00:00Z", "2026-11-21T00:00:00Z"),
        ("weekly", "2026-11-15T12:00:00Z", "2026-11-19T00:00:00Z"),
        ("monthly", "2026-10-31T12:00:00Z", "2026-11-08T00:00:00Z"),
    ],
)
def test_a_former_path_goes_when_its_grace_is_over(window, ended, gone):
    former = paths(KEY, VAULT, 0, window, ended).current
    assert former not in paths(KEY, VAULT, 0, window, gone).every


def test_without_a_window_it_never_changes_by_itself():
    assert paths(KEY, VAULT, 0, "never", "2026-01-01T00:00:00Z") == paths(
        KEY, VAULT, 0, "never", "2999-01-01T00:00:00Z"
    )


def test_an_unknown_window_is_refused():
    with pytest.raises(ConfigError, match="never, daily, weekly, monthly"):
        current(window="hourly")


@pytest.mark.parametrize(
    "name", ["index.html", "a" * 31, "a" * 33, "-" + "a" * 31, "z" + "a" * 31, "a/" + "a" * 30]
)
def test_other_names_are_not_taken_for_paths(name):
    assert not is_path(name)
