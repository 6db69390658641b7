"""The native backend under the engine: equal bits however sequences are batched, chunked, threaded and forked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import edge
from edge import native
from edge.backends.native import NativeBackend
from edge.export.gguf_writer import GGUFWriter
from edge.formats import GGMLType, open_gguf
from edge.native import BLOCK_SIZE, isa_supported
from tests.backends.recorder import Recorder, alone

PROMPTS = ([1, 2, 3], list(range(70)), [200] * 33)


@pytest.mark.parametrize("kind", [GGMLType.Q8_0, GGMLType.Q4_0, GGMLType.F16, GGMLType.F32], ids=lambda kind: kind.name)
def test_equal_bits_in_a_batch_of_three(tmp_path: Path, write_model: Callable[..., Path], kind: GGMLType) -> None:
    path = write_model(tmp_path / "m.gguf", kind=kind)
    expected = [alone(path, prompt, isa="scalar", num_threads=1) for prompt in PROMPTS]
    for isa in isa_supported():
        for chunk in (1, 7, 64, 256):
            with open_gguf(path) as file:
                recorder = Recorder(file, isa=isa, num_threads=2, chunk=chunk, num_sequences=3)
                sequences = [recorder.add(prompt) for prompt in PROMPTS]
                recorder.run()
                for sequence, result in zip(sequences, expected, strict=True):
                    assert recorder.of(sequence) == result, (isa, chunk)
                assert recorder.engine.blocks.num_used == 0
                recorder.close()


def test_threads_of_each_phase_change_no_bit(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of at most eight tokens run on the pool for decoding, others on the large one."""
    used: list[tuple[int, int]] = []
    step = native.Program.step

    def counted(self: native.Program, threads: native.Threads, *args: Any, **batch: Any) -> None:
        used.append((len(batch["token_ids"]), threads.num_threads))
        step(self, threads, *args, **batch)

    expected = alone(tiny_model, list(range(60)), num_threads=1)
    monkeypatch.setattr(native.Program, "step", counted)
    assert alone(tiny_model, list(range(60)), num_threads=3, decode_threads=2, chunk=26) == expected
    assert used[:4] == [(26, 3), (26, 3), (8, 2), (1, 2)]
    assert {threads for tokens, threads in used if tokens == 1} == {2}


def test_threads_of_each_phase_are_checked(tiny_model: Path) -> None:
    with open_gguf(tiny_model) as file:
        for decode in (0, 3, True, "2"):
            with pytest.raises(edge.RequestError, match="decode_threads is"):
                NativeBackend(file, num_threads=2, decode_threads=decode)  # type: ignore[arg-type]


def test_a_fork_continues_with_equal_bits(tiny_model: Path) -> None:
    prompt = list(range(40))
    tokens, logits = alone(tiny_model, prompt)
    with open_gguf(tiny_model) as file:
        recorder = Recorder(file, num_sequences=2)
        parent = recorder.add(prompt)
        while parent.num_answer_tokens < 4:
            recorder.engine.step()
        assert (len(parent) - 1) % BLOCK_SIZE != 0, "the last block must be shared and not full"
        same = recorder.engine.fork(parent, number=0)  # the same number: the same random tokens
        recorder.run()
        assert recorder.of(parent) == (tokens, logits)
        assert recorder.of(same) == (tokens, logits[4:])
        other_parent = recorder.add(prompt)
        recorder.engine.step()
        other = recorder.engine.fork(other_parent, number=1)
        recorder.run()
        assert recorder.of(other_parent)[0] == tokens
        assert other.tokens.tolist() != tokens  # another number, other random tokens
        recorder.close()


def test_an_unsupported_type_is_named(tmp_path: Path, tiny_model: Path) -> None:
    with open_gguf(tiny_model) as file:
        writer = GGUFWriter(tmp_path / "q8_k.gguf")
        for key in file.keys():
            if key.startswith("llama.") or key in ("general.architecture", "general.type"):
                value = file.get_float(key) if file.value_type(key) == "float32" else (
                    file.get_str(key) if file.value_type(key) == "string" else file.get_int(key))  # fmt: skip
                writer.add(key, 256 if key == "llama.feed_forward_length" else value)
        for name, info in file.tensors.items():
            if "ffn_down" in name:
                writer.add_tensor(name, GGMLType.Q8_K, (64, 256), bytes(64 * 292))
            elif "ffn_up" in name or "ffn_gate" in name:
                writer.add_tensor(name, GGMLType.Q8_0, (256, 64), bytes(256 * 2 * 34))
            else:
                writer.add_tensor(name, info.type, info.shape, file.tensor_data(name))
        writer.finish()
    with (
        open_gguf(tmp_path / "q8_k.gguf") as file,
        pytest.raises(edge.UnsupportedModel, match=r"blk\.0\.ffn_down\.weight is Q8_K"),
    ):
        NativeBackend(file)


def test_limits_follow_the_options(tiny_model: Path) -> None:
    with open_gguf(tiny_model) as file:
        backend = NativeBackend(file, context=100, num_sequences=3, chunk=2, num_threads=1)
        assert backend.limits.num_blocks == 4 * 3
        assert backend.limits.max_tokens == 3  # every running sequence decodes in a step
        assert backend.limits.context == 100
        backend.close()
        backend.close()
        with pytest.raises(edge.RequestError, match="closed"):
            backend.copy_block(0, 1)


def test_the_default_context_is_the_models_up_to_a_limit(tiny_model: Path) -> None:
    with open_gguf(tiny_model) as file:
        for limit, expected in ((4096, 256), (128, 128)):
            backend = NativeBackend(file, default_context=limit, num_threads=1)
            assert backend.limits.context == expected
            backend.close()
