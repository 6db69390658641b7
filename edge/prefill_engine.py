"""Opens another engine that reads prompts for the native one: which, whether it is the same model, what it takes."""

from __future__ import annotations

import glob
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edge.backends.compiled import Compiled
from edge.backends.native import NativeBackend
from edge.backends.onnx.providers import provider_of, runtime
from edge.backends.registry import BACKENDS
from edge.engine import Engine, SamplingParams, Sequence
from edge.engine.handover import LEAST
from edge.errors import NumericalError, RequestError
from edge.memory import Settings, beside
from edge.model_facts import OtherPrefill, PrefillFacts
from edge.npu.folder import is_npu_folder

if TYPE_CHECKING:
    from edge.backends.onnx.backend import OnnxBackend
    from edge.formats.gguf import GGUFFile
    from edge.npu.prompt_reader import PromptReader
    from edge.npu_model import NpuReader
    from edge.onnx_model import OnnxReader
    from edge.profiles import Profile

__all__ = ["MOST_KLD", "Asked", "PlannedPrefill", "by_profile", "folder_of", "plan_prefill"]

# Nats, of tokens at random, which tell most: other weights differ by more, by 6; four bits instead of eight by less.
# Rounding to a cache of four bits alone makes one nat of a difference in the last digit.
MOST_KLD, MOST_KLD_Q4 = 0.25, 2.0
_SHOWN = 8  # tokens behind a text that the other engine has read, whose probabilities are compared
_KINDS = ("onnx", "npu")  # of folders: for the CPU and whatever takes its operators, and static graphs for an NPU
_GAIN = 1.25  # of the other engine's speed: what is handed over is stored anew, and takes memory


class Asked(NamedTuple):
    """backend: "onnx" or "npu" for the folder of that kind beside the model, or with a colon and a folder. provider,
    strict: as `edge.load`. because: who chose it, when nobody named it."""

    backend: str
    provider: str | None = None
    strict: bool = False
    because: str | None = None


def folder_of(backend: str, model: Path) -> Path:
    """Of the other engine. RequestError: it cannot read prompts for another, or nothing is there."""
    name, _, path = backend.partition(":")
    if name not in _KINDS:
        there = ", ".join(BACKENDS)
        why = f"{name} shows no K and V" if name in BACKENDS else f"there are {there}"
        raise RequestError(
            f"prefill_backend is {backend!r}: {why}; it must be native, onnx, npu, onnx:FOLDER or npu:FOLDER"
        )
    BACKENDS["onnx"].require()
    is_npu = name == "npu"
    if path:
        folder = Path(path).expanduser()
    elif is_npu:
        folder = _beside(backend, model)
    else:
        folder = model.with_name(f"{model.stem}-onnx")
    if not folder.exists():
        form = "npu --device NAME" if is_npu else "onnx"
        raise RequestError(
            f"prefill_backend is {backend!r}: there is no {folder}; `edge export {model} --to {form} -o {folder}` "
            "makes it"
        )
    if is_npu_folder(folder) != is_npu:
        other = "onnx" if is_npu else "npu"
        kind = "not for NPUs" if is_npu else "for an NPU"
        raise RequestError(f"prefill_backend is {backend!r}: {folder} is {kind}; {other}:{folder} names it")
    return folder


def _beside(backend: str, model: Path) -> Path:
    """The one folder for an NPU that lies beside the model under its name, as `edge export --to npu` calls it."""
    found = [path for path in sorted(model.parent.glob(f"{glob.escape(model.stem)}-*")) if is_npu_folder(path)]
    if not found:
        raise RequestError(
            f"prefill_backend is {backend!r}: there is no folder for an NPU beside {model}; "
            f"`edge export {model} --to npu --device NAME` makes one"
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise RequestError(f"prefill_backend is {backend!r}: beside {model} there are {names}; name one: npu:FOLDER")
    return found[0]


def by_profile(profile: Profile | None, source: str, model: str, path: Path) -> tuple[Asked | None, str | None]:
    """What the fastest provider that was measured is worth: it, or None and what stands against it, if anything does.
    model: its name, as figures have it."""
    figures = () if profile is None else profile.prefills
    fitting = [item for item in figures if item.model in (None, model) and item.tok_s >= _GAIN * item.native_tok_s]
    if not fitting:
        return None, None
    best = max(fitting, key=lambda item: item.tok_s / item.native_tok_s)
    faster = f"{best.backend} with {best.provider} reads prompts {best.tok_s / best.native_tok_s:.1f} times as fast"
    try:
        folder_of(best.backend, path)
        provider_of(runtime(), best.provider)
    except RequestError as error:
        return None, f"{faster}, says {source}, and is not used: {error}"
    return Asked(best.backend, best.provider, because=f"{faster}, says {source}"), None


class PlannedPrefill:
    """A folder that was checked and will be loaded. num_bytes: what it takes beside the native engine."""

    def __init__(self, asked: Asked, folder: Path, reader: OnnxReader | NpuReader) -> None:
        self._asked, self._folder, self._reader = asked, folder, reader
        self.num_bytes = beside(reader.plan)

    def check(self, file: GGUFFile, compiled: Compiled, hashes: Callable[[], tuple[str, ...]]) -> None:
        """RequestError: it is not of the same model, as far as its header says. hashes: of the file's parts; asked for
        where the folder says what it was made from."""
        said, program = self._reader.geometry, compiled.program
        pairs = {
            "layers": (said.num_layers, program.num_layers + program.num_window_layers),
            "KV heads": (said.num_kv_heads, program.num_kv_heads),
            "dimensions of a head": (said.head_dim, program.head_dim),
            "tokens in the vocabulary": (said.vocab_size, compiled.limits.vocab_size),
        }
        for name, (theirs, ours) in pairs.items():
            if theirs != ours:
                raise self._refused(f"it has {theirs} {name}, the model has {ours}")
        difference = self._reader.differs(file)
        if difference is not None:
            raise self._refused(difference)
        made_from = self._reader.source_hashes
        if made_from is not None and made_from != hashes():
            raise self._refused(
                f"it was made from a file with SHA-256 {made_from[0][:12]}..., which the model's is not"
            )

    def open(self, backend: NativeBackend) -> OtherPrefill:
        """Loads it, and proves on a text that this engine goes on from its K and V as from its own. RequestError: not
        so. UnsupportedModel: the runtime refuses it, or not all runs on the provider, and it must."""
        reader = self._reader.load(self._asked.provider, strict=self._asked.strict)
        try:
            try:
                kld = _difference(backend, reader)
            except NumericalError:
                raise self._refused("behind a text that it has read, logits are not finite") from None
            most = MOST_KLD_Q4 if backend.kv_type == "q4" else MOST_KLD
            if not kld <= most:
                raise self._refused(
                    f"behind a text that it has read, probabilities differ by {kld:.3g} nats, at most {most:g} is "
                    "rounding"
                )
            fallback = reader.weights.note
            return OtherPrefill(
                reader,
                PrefillFacts(reader.name, str(self._folder), kld, reader.placement, fallback, self._asked.because),
            )
        except BaseException:
            reader.close()
            raise

    def _refused(self, reason: str) -> RequestError:
        return RequestError(f"{self._folder} cannot read prompts for this model: {reason}")


def plan_prefill(asked: Asked, model: Path, settings: Settings) -> PlannedPrefill:
    """Checks the files. RequestError, ModelFileError."""
    folder = folder_of(asked.backend, model)
    if is_npu_folder(folder):
        from edge.npu_model import NpuReader

        return PlannedPrefill(asked, folder, NpuReader(folder, settings))
    from edge.onnx_model import OnnxReader

    return PlannedPrefill(asked, folder, OnnxReader(folder, settings))


def _difference(backend: NativeBackend, reader: OnnxBackend | PromptReader) -> float:
    """Mean Kullback-Leibler divergence, nats: of tokens behind a text that the other engine has read, from those behind
    one that was read here."""
    from edge.backends.distance import kl_divergence

    limits = backend.limits
    tokens = [(7919 * place + 13) % limits.vocab_size for place in range(LEAST + 1 + _SHOWN)]
    context = min(limits.context, reader.limits.context)
    if context < len(tokens):
        raise RequestError(f"prompts are handed over from {len(tokens)} tokens on; the context is {context}")
    rows: list[list[memoryview[float]]] = [[], []]
    for kept, source in zip(rows, (None, reader), strict=True):

        def choose(sequence: Sequence, logits: memoryview[float], kept: list[memoryview[float]] = kept) -> int:
            kept.append(memoryview(bytes(logits)).cast("f"))
            return tokens[len(sequence)]

        engine = Engine(backend, choose, reader=source)
        sequence = Sequence(tokens[: LEAST + 1], SamplingParams(temperature=0.0), max_length=len(tokens), seed=0)
        engine.add(sequence)
        while engine.step():
            pass
        engine.scheduler.handover.stop()
        if sequence.error is not None:
            raise sequence.error
        assert sequence.num_handed_tokens == (0 if source is None else LEAST)
    divergences = [kl_divergence(one, two) for one, two in zip(*rows, strict=True)]
    return math.fsum(divergences) / len(divergences)
