"""The forms of answers. Every field is required and none a union: the API makes a grammar of them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Action = Literal["create", "update", "merge", "supersede", "expire", "question"]
Kind = Literal["note", "decision", "convention", "pattern", "task", "fact", "summary"]


class Change(BaseModel):
    """One change to the notes; numbers are those of the notes in the question."""

    action: Action
    notes: list[int] = Field(description="numbers of the notes that this is drawn from")
    target: int = Field(description="number of the note that the action is about; 0 for none")
    kind: Kind
    title: str = Field(description="one short line, empty where there is no new text")
    text: str = Field(description="markdown, empty where there is no new text")
    topics: list[str] = Field(description="at most five short words or names")
    files: list[str] = Field(description="paths exactly as in the notes")
    importance: float = Field(description="0 to 1")
    confidence: float = Field(description="0 to 1")
    expires: str = Field(description="a date such as 2026-11-30, or empty")
    reason: str = Field(description="one plain sentence, without quoting the notes")


class Changes(BaseModel):
    """All changes that a group of notes deserves; often none."""

    changes: list[Change]


class Narrative(BaseModel):
    """The opening text of a digest; empty where there is nothing to tell."""

    title: str
    text: str
