"""Runs a model in llama.cpp for a few tokens, in a process of its own.

A build for another CPU dies of an instruction that this one has not, and some damaged files kill llama.cpp as well:
then it is this process that dies, and the one that asked says why. What went well once is not tried again.

python -m edge.backends.llama_trial SETTINGS        a JSON object; exit code 0, or 1 and a sentence on stderr
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import signal
import subprocess
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path

from edge import device
from edge.backends.llama_api import Llama, LlamaSettings
from edge.errors import EdgeError, NativeError, UnsupportedModel

__all__ = ["COMMAND", "ADVICE", "try_model"]

COMMAND = (sys.executable, "-m", "edge.backends.llama_trial")
ADVICE = (
    "build llama-cpp-python for this CPU (docs/backends.md says how; its default build can die on CPUs with AMX), "
    "or leave --backend out: edge's own engine runs most GGUF files"
)
_PROMPT = 40  # tokens: more than small steps have, and then one alone
_MAX_LINE = 400
_LEAST_SECONDS, _LEAST_BYTES_S = 120, 10 * 2**20  # after so long it counts as stuck


def try_model(
    path: Path, settings: LlamaSettings, known_good: Path, folder: Path | None, command: Sequence[str] = COMMAND
) -> None:
    """Returns when llama.cpp runs this model here. known_good: a model to try when it dies, to tell a build that does
    not fit from a file that does harm. folder: where successes are remembered (None: nowhere).

    Raises UnsupportedModel (llama.cpp refuses the file, and why), NativeError (it died, and what to do).
    """
    mark = None if folder is None else folder / "llama" / f"{_key(path, settings)}.ok"
    if mark is not None and mark.is_file():
        return
    died = _run(path, settings, command)
    if died is not None:
        if path != known_good and _run(known_good, settings, command) is None:
            raise UnsupportedModel(path, f"llama.cpp dies of {died} when it runs this file in a trial: it is damaged, "
                                         f"or {ADVICE}")  # fmt: skip
        raise NativeError(f"llama.cpp dies of {died} when it runs a model in a trial: {ADVICE}")
    if mark is not None:
        try:
            mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mark.touch(mode=0o600)
        except OSError:
            pass  # it is tried again the next time


def _run(path: Path, settings: LlamaSettings, command: Sequence[str]) -> str | None:
    """None: it went well. Otherwise the signal that the child died of. UnsupportedModel: it refused the file."""
    question = json.dumps({"path": os.fspath(path), **settings._asdict()})
    seconds = _LEAST_SECONDS + path.stat().st_size / _LEAST_BYTES_S
    try:
        child = subprocess.run([*command, question], capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise NativeError(f"llama.cpp had not run {path} after {seconds:.0f} s: {ADVICE}") from None
    if child.returncode < 0:
        try:
            return signal.Signals(-child.returncode).name
        except ValueError:
            return f"signal {-child.returncode}"
    if child.returncode:
        lines = child.stderr.decode(errors="replace").strip().splitlines() or ["it does not say why"]
        raise UnsupportedModel(path, lines[-1][:_MAX_LINE].removeprefix(f"{path}: "))
    return None


def _key(path: Path, settings: LlamaSettings) -> str:
    """What the outcome depends on: the build, the CPU, the file and how it is loaded."""
    found = importlib.util.find_spec("llama_cpp")
    parts = [importlib.metadata.version("llama-cpp-python"), device.cpus().model, str(path.absolute()), str(settings)]
    library = None if found is None or found.origin is None else Path(found.origin).parent / "lib"
    files = [] if library is None or not library.is_dir() else sorted(library.iterdir())
    for file in (path, *files):
        state = file.stat()
        parts += [file.name, str(state.st_size), str(state.st_mtime_ns)]
    return hashlib.blake2b("\0".join(parts).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def main() -> int:
    """The child: a prompt and a token."""
    question = json.loads(sys.argv[1])
    path = Path(question.pop("path"))
    settings = LlamaSettings(**question)
    try:
        count = min(_PROMPT, settings.max_tokens, settings.context - 1)
        llama = Llama(path, settings._replace(context=min(settings.context, 256), num_sequences=1))
        for tokens in (range(count), range(count, count + 1)):
            ids = array("i", (token % llama.vocab_size for token in tokens))
            llama.decode(ids, array("i", tokens), array("i", [0] * len(ids)), array("i", [len(ids) - 1]))
        llama.close()
    except EdgeError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
