"""gitmem: one long-term memory for Claude, sealed in your own private git repository."""

__version__ = "0.1.0"
