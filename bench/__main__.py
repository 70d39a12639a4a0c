"""``python -m bench``: the whole-command figures, then those of the index alone."""

from bench import index_speed, speed

speed.main()
index_speed.main()
