"""Documents: what is written reads back the same, here and in PyYAML, and nothing else gets through."""

import subprocess
import sys

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitmem.errors import InvalidMemoryError
from gitmem.memory import document, frontmatter
from gitmem.memory.document import dump, load, parse_foreign
from gitmem.memory.memory import FIELDS, KINDS, MAX_BYTES, MAX_REV, TRUSTS, Memory

ID = "01KAGFWXW0ABCDEFGHJKMNPQRS"
CREATED = "2026-11-20T07:00:00Z"
SPECIAL = [
    "yes",
    "No",
    "null",
    "~",
    "true",
    "12",
    "0x1F",
    "1e5",
    "1:30",
    "2026-11-20",
    ".inf",
    "---",
    "...",
    "- a",
    "a: b",
    "a #b",
    "#",
    "'",
    '"',
    "\\",
    "\\ud83d",
    "[a]",
    "{a}",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`",
    "=",
    "<<",
    "",
    " a",
    "a ",
    "a\nb",
    "a\r\nb",
    "\x00",
    "\x7f",
    "\x85",
    "\u2028",
    "\ufeff",
    "\uffff",
    "\u00a0",
    "é",
    "日本",
    "😀",
    "a, b",
    "?",
]
text = st.one_of(
    st.sampled_from(SPECIAL),
    st.text(max_size=20),
    st.lists(st.sampled_from(SPECIAL), max_size=4).map(" ".join),
)
texts = st.lists(text, max_size=4).map(tuple)
times = st.datetimes().map(lambda when: when.replace(microsecond=0).isoformat() + "Z")
maybe_time = st.one_of(st.just(""), times)
bodies = st.one_of(text, st.lists(text, max_size=5).map("\n".join), st.just("---\nid: x\n---\n\nend"))


def memory(**fields):
    return Memory(**{"id": ID, "created": CREATED, "body": "text", **fields})


memories = st.builds(
    memory,
    body=bodies.map(lambda body: body if body.strip() else body + "x"),
    title=text,
    kind=st.sampled_from(KINDS),
    created=times,
    updated=maybe_time,
    rev=st.integers(1, MAX_REV),
    tags=texts,
    project=text,
    session=text,
    source=text,
    trust=st.sampled_from(TRUSTS),
    importance=st.one_of(st.none(), st.floats(0, 1)),
    expires=maybe_time,
    share=st.booleans(),
    sources=texts,
    supersedes=texts,
    links=texts,
    topics=texts,
    files=texts,
    path=text,
)


def front(data):
    return data.decode().split("\n---\n")[0].removeprefix("---\n")


@settings(max_examples=400)
@given(memories)
def test_a_dumped_memory_loads_as_the_same_memory(one):
    assert load(dump(one)) == one


@settings(max_examples=300)
@given(memories)
def test_pyyaml_reads_the_same_values_from_what_dump_writes(one):
    read = yaml.safe_load(front(dump(one)))
    for name in FIELDS:
        value = getattr(one, name)
        value = list(value) if isinstance(value, tuple) else value
        if name in read:
            assert read[name] == value and type(read[name]) is type(value), name
        else:
            assert value in ("", [], None, False, 1, "note"), name


@settings(max_examples=300)
@given(memories)
def test_the_strict_reader_and_the_yaml_reader_agree(one):
    written = dump(one).decode()
    strictly, slowly = document._read_strictly(written), frontmatter.read(written)
    assert slowly.pop("extra") == ""
    assert slowly == strictly


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from([*sorted(FIELDS), "aliases", "x y"]), text), max_size=4), st.booleans()
)
def test_whatever_the_strict_reader_takes_the_yaml_reader_takes_alike(lines, quoted):
    head = "".join(f"{key}: {document.quote(value) if quoted else value}\n" for key, value in lines)
    written = f'---\nid: {ID}\ncreated: "{CREATED}"\n{head}---\n\nbody\n'
    strictly = document._read_strictly(written)
    if strictly is not None:
        assert {"extra": "", **strictly} == frontmatter.read(written)


@pytest.mark.parametrize(
    "body", ["---\nfoo\n---", "a\r\nb\r", "\n\nfirst", "\x00\x1b[31m", "---", "...", "\ufefftext"]
)
def test_bodies_that_look_like_structure_survive(body):
    assert load(dump(memory(body=body))).body == body


def test_a_memory_of_title_alone_survives():
    one = memory(body="", title="only this")
    assert load(dump(one)) == one


def test_newlines_at_the_end_are_padding():
    one = memory(body="text\n\n")
    assert one.body == "text"
    assert load(dump(one) + b"\n" * 500) == one


def test_only_what_is_set_is_written():
    assert dump(memory()).decode() == f'---\nid: {ID}\ncreated: "{CREATED}"\ntrust: self\n---\n\ntext\n'


def test_a_document_without_trust_is_an_import():
    assert load(dump(memory()).replace(b"trust: self\n", b"")).trust == "import"


@pytest.mark.parametrize("field", ["title", "body", "project", "source"])
def test_a_lone_surrogate_is_refused(field):
    with pytest.raises(InvalidMemoryError):
        dump(memory(**{field: "a\ud800b"}))


def test_an_escaped_surrogate_is_refused_on_reading():
    with pytest.raises(InvalidMemoryError):
        load(dump(memory(title="x")).replace(b"title: x", b'title: "\\ud800"'))


def test_the_largest_memory_fits_and_one_byte_more_is_refused():
    room = MAX_BYTES - len(dump(memory(body="x"))) + 1
    fits = memory(body="x" * room)
    assert len(dump(fits)) == MAX_BYTES
    assert load(dump(fits) + b"\n" * 4096) == fits
    with pytest.raises(InvalidMemoryError):
        dump(memory(body="x" * (room + 1)))
    with pytest.raises(InvalidMemoryError):
        load(dump(fits).rstrip(b"\n") + b"y\n")


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda t: f"---\n{t}\n---\n".encode("utf-8", "replace")),
    )
)
@example(b"")
@example(b"---\n---\n")
@example(b"---\n" + b"[" * 5000 + b"\n---\n")
@example(b"---\na: &x [1]\nb: [*x, *x]\n---\n")
@example(b'---\na: "\\UFFFFFFFF"\n---\n')
@example(b"---\nrev: " + b"9" * 5000 + b"\n---\n")
@example(b"---\n" + b"a: 1\n" * 60000 + b"---\n")
def test_any_bytes_raise_only_invalid_memory(data):
    with pytest.raises(InvalidMemoryError):
        load(data)


@settings(max_examples=300)
@given(memories, st.integers(0, 2000), st.binary(min_size=1, max_size=3))
def test_a_damaged_document_loads_or_raises_invalid_memory(one, at, junk):
    data = dump(one)
    at %= len(data)
    try:
        assert isinstance(load(data[:at] + junk + data[at + len(junk) :]), Memory)
    except InvalidMemoryError as error:
        assert error.exit_code == 16


def test_yaml_bombs_are_refused_quickly():
    bomb = "a: &a [x,x,x,x]\n" + "".join(f"k{n}: &k{n} [*a,*a,*a]\n" for n in range(50))
    with pytest.raises(InvalidMemoryError, match="anchors"):
        parse_foreign(f"---\n{bomb}---\n")


def test_a_hand_edited_document_is_understood():
    hand = f"""---
id: '{ID}'
title: >-
  A folded
  title
created: 2026-11-20 09:00:00+02:00
tags:
  - one
  - "two"
rev: 3
share: yes
importance: 1
project:
---
text
"""
    one = load(hand.encode())
    assert one == memory(
        title="A folded title", tags=("one", "two"), rev=3, share=True, importance=1.0, trust="import"
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("rev: many", "'rev' must be a number"),
        ("importance: high", "'importance' must be a number"),
        ("share: perhaps", "'share' must be true or false"),
        ("title: [a, b]", "'title' must be one value"),
        ("tags: {a: b}", "'tags' must be a list"),
        ("updated: soon", "A date must look like"),
        ("kind: poem", "Unknown kind"),
        ("trust: full", "Unknown trust"),
        ("title: a\ntitle: b", "'title' twice"),
        ("title: 'open", "not valid YAML"),
    ],
)
def test_a_wrong_field_is_named(line, says):
    written = f"---\nid: {ID}\ncreated: {CREATED}\n{line}\n---\nbody\n"
    with pytest.raises(InvalidMemoryError, match=says):
        load(written.encode())


EXTRA = """# a comment of mine
aliases:
  - Other name
cssclass: wide
nested: {a: [1, 2], b: "x: y"}
text: |
  two
  lines"""


@pytest.mark.parametrize(
    "extra", [EXTRA, "a: 1", "aliases:\n- x\n- y", '"quoted key": 1', "a: |+\n  x\n\n", "# only a comment"]
)
def test_foreign_front_matter_survives_verbatim(extra):
    one = memory(extra=extra, title="T")
    assert load(dump(one)) == one
    yaml.safe_load(front(dump(one)))


def test_foreign_keys_between_known_ones_survive_an_edit_of_a_known_one():
    head = f"aliases: [a, 'b']  # why\nid: {ID}\n# kept\nrating: 5\ntitle: Old\ncreated: {CREATED}"
    hand = f"---\n{head}\n---\nbody\n"
    one = load(hand.encode())
    assert one.extra == "aliases: [a, 'b']  # why\n# kept\nrating: 5"
    edited = load(dump(memory(extra=one.extra, title="New")))
    assert edited.extra == one.extra


def test_front_matter_in_braces_becomes_lines():
    hand = f'---\n{{id: {ID}, created: "{CREATED}", aliases: [a,\n b], n: 5}}\n---\nbody\n'
    one = load(hand.encode())
    assert yaml.safe_load(one.extra) == {"aliases": ["a", "b"], "n": 5}
    assert load(dump(one)) == one


@pytest.mark.parametrize(
    "extra",
    [
        "title: x",
        "a: 1\n---\nb: 2",
        "a: [",
        "just words",
        "\na: 1",
        "a: &x 1",
        "  a: 1",
        "? a\n: b",
        "x: 1\nid: 2",
    ],
)
def test_extra_that_is_not_foreign_front_matter_is_refused(extra):
    with pytest.raises(InvalidMemoryError):
        dump(memory(extra=extra))


@settings(max_examples=300)
@given(
    st.dictionaries(
        text.filter(lambda key: key not in FIELDS),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), text),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=4,
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([None, True, False]),
)
def test_foreign_yaml_of_any_style_survives_or_is_refused(values, flow):
    extra = yaml.safe_dump(values, default_flow_style=flow, allow_unicode=True).removesuffix("\n")
    try:
        data = dump(memory(extra=extra))
    except InvalidMemoryError:
        return
    assert load(data).extra == extra
    assert load(data).body == "text"


@settings(max_examples=200)
@given(text)
def test_the_c_loader_and_the_python_loader_agree(value):
    head = f"é😀: {document.quote(value)}\nb:\n  - {document.quote(value)}\ntitle: x"
    fast = frontmatter.entries(head)
    loader, frontmatter._LOADER = frontmatter._LOADER, yaml.SafeLoader
    try:
        assert frontmatter.entries(head) == fast
    finally:
        frontmatter._LOADER = loader


def test_foreign_front_matter_becomes_plain_values():
    values, body = parse_foreign(
        "---\ntitle: T\ndate: 2026-01-02\ntags: [a, 1]\nn:\n  - {x: y}\nz:\n---\n# Body\n"
    )
    assert values == {"title": "T", "date": "2026-01-02", "tags": ["a", "1"], "n": [{"x": "y"}], "z": None}
    assert body == "# Body\n"


@pytest.mark.parametrize(
    "plain",
    ["# no front matter\n", "---\nnever closed\n", "---\njust a line\n---\n", "", "----\na: 1\n---\n"],
)
def test_text_without_front_matter_is_all_body(plain):
    assert parse_foreign(plain) == ({}, plain)


def test_windows_line_ends_and_a_byte_order_mark_are_understood():
    one = load(f"\ufeff---\r\nid: {ID}\r\ncreated: {CREATED}\r\n---\r\n\r\na\r\nb\r\n".encode())
    assert one.body == "a\r\nb\r"
    foreign = load(f"---\r\nid: {ID}\r\na: 1\r\ncreated: {CREATED}\r\nb: 2\r\n---\r\nx".encode())
    assert foreign.extra == "a: 1\nb: 2"


def test_the_strict_form_never_imports_pyyaml():
    code = (
        "import sys; from gitmem.memory.document import dump, load; from gitmem.memory.memory import Memory\n"
        f"m = Memory(id='{ID}', created='{CREATED}', title='a: b', tags=('x', 'y z'), body='t',\n"
        "           extra='aliases:\\n  - q')\n"
        "assert load(dump(m)) == m\n"
        "print(sorted({'yaml', 'tempfile', 'subprocess', 'pathlib', 'logging'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=None)
    assert done.stdout.strip() == "[]"
