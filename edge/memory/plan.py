"""The memory plan: what a model takes with a context filled, item by item, from its header alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.backends.compiled import Compiled, check_number, compile_model
from edge.backends.sizes import engine_sizes
from edge.backends.streaming import stream_sizes
from edge.formats.adapter import Adapter
from edge.formats.gguf import GGUFFile
from edge.native import MAX_THREADS
from edge.packed.options import SMALLEST_BYTES

if TYPE_CHECKING:
    from edge.predict import Prediction, Question
    from edge.profiles import Profile

__all__ = ["MemoryPlan", "Settings", "compiled_for", "plan_compiled", "plan_memory", "with_streaming"]

# Python with edge, click, jinja2 and the tokenizers library, when an answer has been made; measured on x86-64 Linux.
PROCESS_BYTES = 40 * 2**20
# The tokenizer's tables: measured over vocabularies of 2,000 to 152,000 tokens.
TOKENIZER_BYTES, TOKENIZER_BYTES_PER_TOKEN = 2 * 2**20, 275
# llguidance's tables for masks, made when a request first asks for a form: measured over 32,000 and 128,256 tokens.
GRAMMAR_BYTES, GRAMMAR_BYTES_PER_TOKEN = 6 * 2**20, 270
NUMPY_BYTES = 24 * 2**20  # imported when states are first pooled
THREAD_BYTES = 128 * 2**10  # touched stack and bookkeeping of a worker
STREAM_THREADS = 4  # EDGE_STREAM_READERS, which read layers from the disk
WRITER_BYTES = 24 * 2**20  # pieces on their way to a packed file, and of the source on their way to its hash


@dataclass(frozen=True, slots=True)
class Settings:
    """What the size of a loaded model depends on. context None: the model's own, at most default_context tokens.
    kv_tokens: kept at a time, of all sequences; None: as many as they may have."""

    context: int | None = None
    default_context: int = 4096
    num_sequences: int = 1
    kv_type: str = "f16"
    chunk: int = 128
    num_threads: int = 1
    kv_tokens: int | None = None
    streamed_groups: int = 0  # the last ones (backends.streaming): read from the packed file for every step
    adapters: tuple[Adapter, ...] = ()
    prefill_bytes: int = 0  # of another engine that reads prompts


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes of the process by what they are for, and the settings that they follow from.

    weights: all matrices, packed, and vectors; of a mapped packed file the pages that a step touches. streamed_bytes of
    them, in streamed_groups of streamed_layers (the first perhaps in part), are read from the file for every step, into
    buffers of ring_bytes, and do not count among weights, nor do rows of the embedding that a step then does not need.
    kv: with every sequence as long as its context, or all of them together as long as kv_tokens; of layers with a
    window, the windows.
    program: buffers and scratch of a step. grammar: tables for structured output, once a request has asked for it.
    embeddings: NumPy, which pools states, and of a decoder its second program with KV of its own, once it is asked to
    embed. adapters: their matrices. prefill: another engine that reads prompts, with its weights and KV.
    packing: what the first load takes beside the process while it packs, in place of the rest. prediction: how fast it
    will be; None where no profile says.
    """

    weights_bytes: int
    kv_bytes: int
    program_bytes: int
    tokenizer_bytes: int
    process_bytes: int
    packing_bytes: int
    context: int
    num_sequences: int
    kv_type: str
    chunk: int
    num_threads: int
    ring_bytes: int = 0
    streamed_bytes: int = 0
    streamed_layers: int = 0
    streamed_groups: int = 0
    grammar_bytes: int = 0
    embeddings_bytes: int = 0
    adapters_bytes: int = 0
    prefill_bytes: int = 0
    prediction: Prediction | None = None

    @property
    def running_bytes(self) -> int:
        weights_bytes = self.weights_bytes + self.ring_bytes + self.adapters_bytes
        engine_bytes = self.kv_bytes + self.program_bytes + self.tokenizer_bytes + self.grammar_bytes
        engine_bytes += self.embeddings_bytes + self.prefill_bytes
        return weights_bytes + engine_bytes + self.process_bytes

    @property
    def total_bytes(self) -> int:
        """The most that the process holds at a time."""
        return max(self.running_bytes, self.process_bytes + self.packing_bytes)

    def predicted(self, profile: Profile | None, source: str, question: Question) -> MemoryPlan:
        """The same plan with the speed that this profile foretells."""
        if profile is None:
            return self
        from edge.predict import predict_speed  # a small model pays for none of it

        prediction = predict_speed(profile, source, question)
        if self.streamed_layers:
            prediction = prediction.while_streaming(self.streamed_bytes, self.chunk, profile)
        return replace(self, prediction=prediction)

    def as_json(self) -> dict[str, Any]:
        speed = None if self.prediction is None else self.prediction.as_json()
        return asdict(replace(self, prediction=None)) | {"total_bytes": self.total_bytes, "prediction": speed}


def plan_memory(file: GGUFFile, settings: Settings) -> MemoryPlan:
    """Raises BadModelFile, UnsupportedModel, RequestError (an option out of range)."""
    return plan_compiled(file, compiled_for(file, settings), settings)


def compiled_for(file: GGUFFile, settings: Settings) -> Compiled:
    """The model's program for steps of these settings. Errors as `plan_memory`."""
    check_number("threads", settings.num_threads, 1, MAX_THREADS)
    return compile_model(
        file,
        context=settings.context,
        default_context=settings.default_context,
        chunk=settings.chunk,
        num_sequences=settings.num_sequences,
        kv_type=settings.kv_type,
        kv_tokens=settings.kv_tokens,
        adapters=settings.adapters,
    )


def plan_compiled(file: GGUFFile, compiled: Compiled, settings: Settings) -> MemoryPlan:
    """The plan of a model whose program is known already."""
    sizes = engine_sizes(file, compiled, kv_type=compiled.kv_type, num_threads=settings.num_threads)
    limits = compiled.limits
    writer_bytes = WRITER_BYTES if sizes.matrices >= SMALLEST_BYTES else 0  # less is packed without a file
    plan = MemoryPlan(
        weights_bytes=sizes.matrices + sizes.vectors,
        kv_bytes=sizes.kv_block * limits.num_blocks + sizes.window_block * limits.num_window_blocks,
        program_bytes=sizes.program,
        tokenizer_bytes=TOKENIZER_BYTES + TOKENIZER_BYTES_PER_TOKEN * limits.vocab_size,
        process_bytes=PROCESS_BYTES + THREAD_BYTES * settings.num_threads,
        packing_bytes=max(sizes.largest + writer_bytes, sizes.in_memory),  # whether there is a packed file or not
        context=limits.context,
        num_sequences=settings.num_sequences,
        kv_type=compiled.kv_type,
        chunk=settings.chunk,
        num_threads=settings.num_threads,
        embeddings_bytes=NUMPY_BYTES if compiled.config.is_encoder else 0,
        adapters_bytes=sizes.adapters,
        prefill_bytes=settings.prefill_bytes,
    )
    return with_streaming(file, compiled, plan, settings.streamed_groups)


def with_streaming(file: GGUFFile, compiled: Compiled, plan: MemoryPlan, streamed_groups: int) -> MemoryPlan:
    """The plan when so many groups of a model that `plan` keeps in memory are streamed; as it is for none."""
    if streamed_groups == 0:
        return plan
    sizes = stream_sizes(file, compiled.program, streamed_groups, compiled.limits.max_tokens)
    return replace(
        plan,
        weights_bytes=plan.weights_bytes - sizes.streamed - sizes.by_token + sizes.rows,
        process_bytes=plan.process_bytes + STREAM_THREADS * THREAD_BYTES,
        ring_bytes=sizes.ring,
        streamed_bytes=sizes.streamed,
        streamed_layers=sizes.layers,
        streamed_groups=streamed_groups,
    )
