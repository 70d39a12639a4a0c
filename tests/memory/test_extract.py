"""Telling sentences: taken as they stand there, whole, and from whoever said them."""

from __future__ import annotations

from gitmem.memory.extract import best, sentences
from gitmem.memory.memory import Memory


def memory(body, **fields):
    return Memory(id="01KAF000000000000000000001", created="2026-11-20T07:00:00Z", body=body, **fields)


def texts(body, **fields):
    return [one.text for one in sentences(memory(body, **fields))]


def test_a_sentence_that_an_editor_broke_is_whole_again():
    body = (
        "Measured first: 540 ms went into reading the list of stations, 160 into\n"
        "fonts, 90 into a check of the file that had been done at download already."
    )
    assert texts(body) == [body.replace("\n", " ")]


def test_lines_of_a_list_stay_apart():
    body = "- The harbour office closes at four on every weekday\n- The ferry leaves from pier nine at noon"
    assert len(texts(body)) == 2


def test_an_identifier_at_the_beginning_keeps_its_letters():
    assert texts("test_a_train_after_midnight fails on the board of Harrow Lane") == [
        "test_a_train_after_midnight fails on the board of Harrow Lane"
    ]
    assert texts("wrote the rule about trains after midnight down")[0].startswith("Wrote")


def test_a_heading_is_no_speaker_and_a_voice_is_one():
    assert sentences(memory("Why: half of my trips have no signal in the tunnel"))[0].speaker == ""
    talk = (
        "Mira: The lift at Marrow Bridge is broken again\nMira: The replacement bus leaves from platform two"
    )
    assert {one.speaker for one in sentences(memory(talk))} == {"Mira"}


def test_the_title_of_a_decision_says_it_first():
    note = memory(
        "We looked at three ways to do it and talked about each of them for an hour or so in the end.",
        title="A board is a query, never a list we keep",
        kind="decision",
    )
    assert best([note], 120)[0].text == note.title
    assert note.title not in texts(note.body, title=note.title)
