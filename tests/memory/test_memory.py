"""A memory is valid or never made; an id has one path."""

import copy
import dataclasses
import datetime as dt
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitmem.errors import InvalidMemoryError
from gitmem.memory import ids
from gitmem.memory.memory import FIELDS, MAX_REV, Memory, is_id, is_time, short
from gitmem.memory.times import from_unix, parse_time, to_unix_ms

ID = "01KAGFWXW0ABCDEFGHJKMNPQRS"
CREATED = "2026-11-20T07:00:00Z"


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "01KAGFWXW0"},
        {"id": ID.lower()},
        {"id": "8" + ID[1:]},
        {"id": ID + "0"},
        {"kind": "poem"},
        {"trust": "root"},
        {"importance": 1.01},
        {"importance": -0.01},
        {"importance": float("nan")},
        {"rev": 0},
        {"rev": MAX_REV + 1},
        {"created": ""},
        {"created": "2026-11-20"},
        {"updated": "2026-02-30T00:00:00Z"},
        {"expires": "2027-02-29T00:00:00Z"},
        {"created": "2026-11-20T24:00:00Z"},
        {"body": " \n"},
        {"body": ""},
    ],
)
def test_a_field_out_of_bounds_makes_no_memory(fields):
    with pytest.raises(InvalidMemoryError):
        Memory(**{"id": ID, "created": CREATED, "body": "text", **fields})


def test_newlines_at_the_end_of_a_body_are_taken_off():
    assert Memory(id=ID, created=CREATED, body="a\n\nb\n\n").body == "a\n\nb"


def test_body_and_extra_are_no_front_matter_fields():
    assert "title" in FIELDS and not FIELDS & {"body", "extra"}


@settings(max_examples=300)
@given(st.datetimes())
def test_every_time_of_the_calendar_is_a_time(when):
    assert is_time(when.replace(microsecond=0).isoformat() + "Z")


@settings(max_examples=500)
@given(st.from_regex(r"[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z", fullmatch=True))
def test_what_is_a_time_is_in_the_calendar(text):
    try:
        dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
        real = not text.endswith((":60Z", ":61Z"))
    except ValueError:
        real = False
    assert is_time(text) == real


def test_digits_of_other_scripts_are_no_time():
    assert not is_time("2026-11-20T07:00:0\u0660Z")


@settings(max_examples=200)
@given(st.integers(0, (1 << 48) - 1))
def test_an_id_holds_its_time(ms):
    made = ids.new_id(ms)
    assert is_id(made) and ids.unix_ms(made) == ms


@settings(max_examples=200)
@given(st.integers(0, 253402300799999))
def test_path_and_id_belong_to_each_other(ms):
    made = ids.new_id(ms)
    when = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=ms)
    assert ids.path_of(made) == f"memories/{when.year:04d}/{when.month:02d}/{made}.md.age"
    assert ids.id_of(ids.path_of(made)) == made


def test_two_ids_of_one_moment_differ():
    assert len({ids.new_id(1_800_000_000_000) for _ in range(100)}) == 100


@pytest.mark.parametrize("bad", ["", "../etc/passwd", ID[:-1], "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ID.lower()])
def test_what_is_no_id_has_no_path(bad):
    with pytest.raises(InvalidMemoryError):
        ids.path_of(bad)


@pytest.mark.parametrize(
    "path",
    [
        "memories/README.md",
        f"memories/2026/11/{ID}.md",
        f"memories/1999/01/{ID}.md.age",
        f"{ID}.md.age",
        f"memories/2025/11/x/{ID}.md.age",
        "memories/2026/11/7ZZZZZZZZZZZZZZZZZZZZZZZZZ.md.age",
    ],
)
def test_a_file_in_the_wrong_place_is_no_memory(path):
    assert ids.id_of(path) is None


def test_the_short_form_is_the_end():
    assert short(ID) == "MNPQRS"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20 07:00", "2026-11-20T07:00:00Z"),
        ("2026-11-20T09:00:00+02:00", "2026-11-20T07:00:00Z"),
        (" 2026-11-20T07:00:00.987Z ", "2026-11-20T07:00:00Z"),
    ],
)
def test_dates_as_people_write_them(written, read):
    assert parse_time(written) == read


@pytest.mark.parametrize(
    "written", ["", "soon", "2026-13-01", "0001-01-01T00:00:00+05:00", "12345678901234567890"]
)
def test_what_is_no_date_is_refused(written):
    with pytest.raises(InvalidMemoryError):
        parse_time(written)


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_any_text_is_a_date_or_refused(written):
    try:
        assert is_time(parse_time(written))
    except InvalidMemoryError as error:
        assert error.exit_code == 16


@settings(max_examples=200)
@given(st.floats(allow_nan=False))
def test_any_file_time_becomes_a_time(seconds):
    assert is_time(from_unix(seconds))


def test_times_and_milliseconds_belong_to_each_other():
    assert to_unix_ms(from_unix(1_700_000_000.9)) == 1_700_000_000_000
    assert to_unix_ms("1969-12-31T23:59:59Z") == 0


def test_a_memory_is_a_dataclass_to_whoever_asks():
    memory = Memory(id=ID, body="A text\n\n", created=CREATED)
    assert dataclasses.is_dataclass(memory)
    assert [field.name for field in dataclasses.fields(memory)][:4] == ["id", "body", "title", "kind"]
    assert dataclasses.replace(memory, body="Another\n") == memory._replace(body="Another")
    assert dataclasses.asdict(memory)["body"] == "A text"
    assert copy.copy(memory) == pickle.loads(pickle.dumps(memory)) == memory


def test_no_change_gets_round_what_a_memory_must_be():
    memory = Memory(id=ID, body="A text", created=CREATED)
    for change in (dataclasses.replace, Memory._replace):
        with pytest.raises(InvalidMemoryError):
            change(memory, kind="poem")
    with pytest.raises(AttributeError):
        memory.kind = "poem"
