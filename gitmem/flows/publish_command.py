"""The digest handed to a command of the owner's, which carries it to any host."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping

from gitmem import config, programs
from gitmem.errors import ConfigError
from gitmem.flows.publish import Published, publish_site
from gitmem.flows.site import Site
from gitmem.memory.digest import Digest
from gitmem.store import Store

_PATIENCE = 900  # seconds


def publish(
    store: Store, site: Site, digest: Digest, command: str, budget: int, env: Mapping[str, str]
) -> Published:
    """Build the site in a folder of its own, run ``command`` with it as the last argument, remove it.

    The command gets ``env`` without the vault's secrets; what it prints is not shown, because upload tools
    print paths.

    Raises:
        ConfigError: the command cannot be read or started, or fails.
    """
    words = split(command)
    clean = {name: value for name, value in env.items() if name not in config.SECRET_VARIABLES}
    with tempfile.TemporaryDirectory(prefix="gitmem-") as folder:
        made = publish_site(store, site, digest, folder, budget)
        ended = programs.call([*words, folder], clean, seconds=_PATIENCE)
    if ended.code:
        why = f"ended with {ended.code}" if ended.code != 127 else "cannot be started"
        raise ConfigError(
            f"The digest's command {why}.",
            "What its host holds is as it was left; run it by hand with a folder to see what it says.",
        )
    return made


def split(command: str) -> list[str]:
    """A command line as its words.

    Raises:
        ConfigError: it is empty, or a quote is left open.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words:
        raise ConfigError(
            "That is not a command.", "Nothing was published; it looks like --to command 'rsync-up --quiet'."
        )
    return words
