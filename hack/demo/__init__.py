"""The demonstration: real releases of a real model, good and bad, on a real cluster.

`python -m hack.demo` plays the stories of `stories` on a cluster that it sets up itself; people
start it with `make demo`. From what was recorded, and only from that, `findings` says what came of
each release and `table` shows it.
"""
