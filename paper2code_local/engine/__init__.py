"""One engine for every stage.

protocol.py   Request, Completion, Engine, Tokenizer: all that the rest of the package knows
chat.py       messages → token ids, with the model's own template and tokenizer; no model is loaded
hardware.py   the memory and the GPUs that are really there
sizing.py     engine_args(hardware, model, need): a pure function
vllm.py       in-process AsyncLLM: the only module that imports vllm
watchdog.py   ends the engine's processes when ours is gone
recorded.py   remembers every completion in the run folder; a question already asked is not asked again
scripted.py   the shipped fake: a deterministic function of the request
"""
