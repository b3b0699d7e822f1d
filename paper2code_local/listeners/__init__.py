"""Who listens to a run: each is a callable that takes an `events.Event`.

progress.py   events → what is known of a run in progress; pure
terminal.py   that on the terminal, live or line by line
jsonl.py      every event as a line of a file, and back
summary.py    what a run took and found
pulling.py    how far a model's pull is, on the terminal
heartbeat.py  a thread that lets nothing run for long in silence
printable.py  text of strangers without what a terminal would obey
"""
