"""Memories as quoted notes in a prompt, so framed that no text can step out of its quotation."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from string import Template
from typing import Any

from gitmem.memory.bounds import SOURCE
from gitmem.memory.memory import Memory
from gitmem.memory.text import visible

_WRITERS = {"self": "owner", "assistant": "assistant", "import": "import", "inbox": "link"}
_BYTES_A_TOKEN = 3  # of UTF-8: more than English needs, and about what Chinese does
_GAP = "\n[…]\n"

CONSOLIDATE = Template(
    "Here are notes that someone wrote down${about}. Today is ${today}.\n\n"
    "<notes>\n${notes}\n</notes>\n\n"
    "Which changes would make these notes more useful? Give none where none is needed."
)
NARRATE = Template(
    "Here are notes that someone wrote down${about}. Today is ${today}.\n\n"
    "<notes>\n${notes}\n</notes>\n\n"
    "Write the opening text of the overview."
)


def instructions(folder: str, name: str) -> str:
    """The constant part of a prompt, from ``<folder>/prompts/<name>.md``."""
    with open(os.path.join(folder, "prompts", f"{name}.md"), encoding="utf-8") as file:
        return file.read()


def question(template: Template, notes: Sequence[str], about: str, today: str) -> str:
    """The part of a prompt that is different each time.

    ``about`` is a project or a topic, so it is somebody's text too: it is quoted like a note's.
    """
    subject = f", all about {_json(visible(about))}" if about else ""
    return template.substitute(about=subject, today=today, notes="\n".join(notes))


def note(memory: Memory, number: int, *, new: bool = False, most: int = 0) -> str:
    """A memory as one line of JSON; ``most`` > 0 cuts its text to so many characters, its middle left out.

    No character of the text can end the line or the frame: line ends and ``<`` are escaped.
    """
    text = visible(memory.body)
    cut = 0 < most < len(text)
    fields: dict[str, Any] = {
        "n": number,
        "new": new,
        "written": memory.created[:10],
        "changed": memory.updated[:10] if memory.updated[:10] != memory.created[:10] else "",
        "by": _WRITERS[memory.trust],
        "distilled": memory.source == SOURCE,
        "cut": cut,
        "kind": memory.kind,
        "title": visible(memory.title),
        "topics": [visible(topic) for topic in memory.topics],
        "files": [visible(path) for path in memory.files],
        "importance": memory.importance,
        "expires": memory.expires[:10],
        "text": text[: most * 2 // 3] + _GAP + text[-(most // 3) :] if cut else text,
    }
    return _json({name: value for name, value in fields.items() if value not in (False, "", [], None)})


def tokens(text: str) -> int:
    """Roughly how many tokens a text has, rather too many than too few."""
    return len(text.encode()) // _BYTES_A_TOKEN + 1


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
