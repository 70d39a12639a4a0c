"""Templates to text: the one place that knows Jinja2."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from gitmem.errors import ConfigError

if TYPE_CHECKING:
    import jinja2


def templates_dir() -> str:
    """The folder of templates: inside the package when installed, beside it in a checkout.

    Raises:
        ConfigError: neither is there, so the installation is damaged.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = (os.path.join(package, "_templates"), os.path.join(os.path.dirname(package), "templates"))
    for place in places:
        if os.path.isdir(os.path.join(place, "site")):
            return place
    raise ConfigError("gitmem's templates are missing.", "Your memories are safe; install gitmem again.")


def render(template: str, **values: Any) -> str:
    """The template of that name under ``templates/``, filled in; text becomes HTML-safe in ``*.html.jinja``.

    A name that the template uses and ``values`` lack is a bug and raises.
    """
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2  # 20 ms that only digests pay

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir()),
        autoescape=jinja2.select_autoescape(("html.jinja",), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
