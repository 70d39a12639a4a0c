"""Git: sealed bytes, commits and refs. Nothing here ever sees plaintext."""
