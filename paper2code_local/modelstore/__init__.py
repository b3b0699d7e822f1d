"""Models on this machine: the catalogue (`card`), fetching (`pull`, `sources`, `convert`), folders (`store`, `folder`).

In: TOML files of `models/`, a folder on disk. Out: a `ModelFolder` that an engine can load.
Must not know any engine, prompt or stage; torch and transformers are imported in the conversion's own process only.
"""
