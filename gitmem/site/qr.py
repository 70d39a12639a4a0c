"""A link as a QR code made of text: the one place that knows segno."""

from __future__ import annotations

from itertools import zip_longest

_QUIET = 2  # modules of margin: half of what the standard asks for, and enough on a screen
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def rows(text: str, *, inverted: bool = False) -> list[str]:
    """The code's lines, two modules high each: dark ones as blocks, or with ``inverted`` the light ones.

    Drawn in black on white it is scanned as it is; where no colours can be set, a terminal that is light on
    dark shows it the right way round with ``inverted``.
    """
    import segno

    code = segno.make_qr(text, error="l", boost_error=False)
    lines = [[bool(module) != inverted for module in line] for line in code.matrix_iter(border=_QUIET)]
    blank = [inverted] * len(lines[0])
    pairs = zip_longest(lines[::2], lines[1::2], fillvalue=blank)
    return ["".join(_BLOCKS[pair] for pair in zip(above, below, strict=True)) for above, below in pairs]
