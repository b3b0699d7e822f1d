"""What running the code may do: P2C001 to P2C005.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.stages.s5_validate.codes.code import Code

SAFETY: Mapping[str, Code] = {
    "P2C001": Code(
        "runs text as code",
        "warning",
        "`eval` or `exec` of something that is not written there. Tests are not looked at by this and the following.",
        {"model.py": b"def activation(name):\n    return eval(name)\n"},
        {"model.py": b"def activation(name):\n    return {'max': max, 'min': min}[name]\n"},
    ),
    "P2C002": Code(
        "runs a shell command",
        "warning",
        "`os.system`, `os.popen`, or `subprocess` with `shell=True`.",
        {"run.py": b"import os\n\n\ndef unpack(name):\n    os.system('tar xf ' + name)\n"},
        {"run.py": b"import subprocess\n\n\ndef unpack(name):\n    subprocess.run(['tar', 'xf', name], check=True)\n"},
    ),
    "P2C003": Code(
        "loads a format that can hold code",
        "warning",
        "`pickle` and its kin, `torch.load` without `weights_only=True`, `numpy.load` with `allow_pickle=True`, "
        "`yaml.load` without a safe loader: harmless with files of one's own, not with files that were downloaded.",
        {"run.py": b"import pickle\n\n\ndef load(stream):\n    return pickle.load(stream)\n"},
        {"run.py": b"import json\n\n\ndef load(stream):\n    return json.load(stream)\n"},
    ),
    "P2C004": Code(
        "uses the network",
        "warning",
        "Requests, sockets, downloads of data sets, and weights or data that are fetched from a hub by name.",
        {"run.py": b"from urllib.request import urlopen\n\n\ndef load(address):\n    return urlopen(address).read()\n"},
        {"run.py": b"def load(path):\n    with open(path, 'rb') as stream:\n        return stream.read()\n"},
    ),
    "P2C005": Code(
        "writes outside of the working directory",
        "warning",
        "A file or folder is written, moved or removed under a path that is absolute (but for `/tmp` and `/dev`), "
        "begins in the home folder, or goes up by `..`.",
        {"run.py": b"def save(text):\n    with open('/data/result.txt', 'w') as stream:\n        stream.write(text)\n"},
        {"run.py": b"def save(text):\n    with open('result.txt', 'w') as stream:\n        stream.write(text)\n"},
    ),
}
