"""Changes as Claude writes them."""

from __future__ import annotations


def change(action="create", notes=(1,), **fields):
    """A change as Claude writes it."""
    return {
        "action": action, "notes": list(notes), "target": 0, "kind": "fact", "title": "", "text": "",
        "topics": [], "files": [], "importance": 0.5, "confidence": 0.9, "expires": "", "reason": "It helps.",
        **fields,
    }  # fmt: skip
