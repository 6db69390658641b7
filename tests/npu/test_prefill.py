"""An NPU folder reads a prompt, the native engine goes on: K and V as that has them, how near answers are, and what is
refused.

ONNX Runtime's own provider computes the graphs here, as they are written; tests/npu/test_openvino.py has another.
"""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import edge
from edge.backends.distance import kl_divergence
from edge.backends.onnx.providers import CPU, OPENVINO, Provider, runtime
from edge.backends.protocol import Batch
from edge.cli import main
from edge.damage.text import shipped_text
from edge.engine import Engine, SamplingParams, Sequence
from edge.errors import DoesNotFit, RequestError
from edge.export.gguf_source import GGUFSource
from edge.graph.ops import Attention
from edge.graph.reference import Reference, Weight
from edge.memory import Settings, beside
from edge.memory.npu import plan_npu
from edge.npu.folder import open_npu_folder
from edge.npu.manifest import MANIFEST
from edge.npu.prompt_reader import PromptReader
from edge.npu_model import NpuReader
from edge.prefill_engine import folder_of
from edge.profiles import load_profile
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf
from tests.npu.models import BUNDLED, copied, decibels, graph_of, written
from tests.npu.test_backend import NOWHERE

pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
pytest.importorskip("onnxruntime", reason="pip install -e '.[npu]'")

from tests.onnx.test_prefill import LONG, PROFILE, export, logits_behind  # noqa: E402

Heads = NDArray[np.float32]
CHUNK, SLOTS = 48, 640  # chunks end inside blocks of 32
# Nats of the next token's probabilities, the mean of six pieces of a text. Eight bits of K and V, with one scale for a
# layer, and of weights lose some: 0.0035 was measured, 0.0026 with sixteen bits of K and V. A scale of K that is two
# per cent off makes it 0.015 and 0.013.
MOST_KLD = 0.01


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model, and beside it a folder for an NPU that no machine of ours has."""
    path = tmp_path_factory.mktemp("bundled") / "assistant.gguf"
    path.write_bytes(BUNDLED.read_bytes())
    written(BUNDLED, path.with_name("assistant-test"), chunk=CHUNK, context=SLOTS, target=NOWHERE)
    return path


def reader_of(folder: Path, *, context: int, chunk: int) -> PromptReader:
    """Beside no engine."""
    checked = open_npu_folder(folder)
    return PromptReader(
        runtime(), checked, checked.graphs, provider=Provider(CPU), context=context, num_threads=1, chunk=chunk
    )


def read(reader: PromptReader, ids: list[int], first: int = 0) -> None:
    """In chunks."""
    while first < len(ids):
        part = ids[first : first + reader.limits.max_tokens]
        positions = range(first, first + len(part))
        reader.step(
            Batch(array("i", part), array("i", positions), array("i", [0] * len(part)), array("i", [0]), 1, array("i"))
        )
        first += len(part)


@pytest.mark.parametrize(
    ("model_type", "changes"),
    [("llama", {}), ("llama", {"rope_dims": 8}), ("qwen3", {}), ("phi3", {"rope_dims": 12}), ("gemma3", {})],
)
def test_k_and_v_are_the_definitions(model_type: str, changes: dict[str, Any], tmp_path: Path) -> None:
    """In float64, as GGUF orders rotary pairs, layers with windows whole; piece by piece, and a text read again."""
    config = tiny_config(model_type, **changes)
    path = write_gguf(tmp_path / "m.gguf", config, random_tensors(tensor_shapes(config)))
    written(path, tmp_path / "npu", chunk=16, context=64, max_tokens=512)
    ids = [int(i) for i in np.random.default_rng(2).integers(2, 90, 41)]
    graph = graph_of(path)
    with GGUFSource(path) as source:
        reference = Reference(graph, lambda name: Weight(source.read(name)))
        reference.step(ids, keep=True)
    attentions = [node for node in graph.nodes if isinstance(node.op, Attention)]
    reader = reader_of(tmp_path / "npu", context=48, chunk=16)
    try:
        for again in (0, 41 if model_type == "gemma3" else 20):  # windows go forward only
            read(reader, ids, again)
            found = list(reader.read_kv(0, 0, len(ids)))
            assert len(found) == len(attentions) == 2
            for layer, node in zip(found, attentions, strict=True):
                for values, number in zip(layer, node.inputs[1:], strict=True):
                    true = reference.values[graph.nodes[number].name].reshape(len(ids), 2, 16).swapaxes(0, 1)
                    assert values.dtype == np.float32 and values.flags.c_contiguous
                    assert decibels(values, true.astype(np.float32)) > 24  # measured: 28 and more
            piece = list(reader.read_kv(0, 13, 29))
            for layer, whole in zip(piece, found, strict=True):
                assert all(np.array_equal(one, all_[:, 13:29]) for one, all_ in zip(layer, whole, strict=True))
        assert reader.capabilities.reuses == (model_type != "gemma3")
        with pytest.raises(RequestError, match="without its head"):
            batch = Batch(array("i", [5]), array("i", [0]), array("i", [0]), array("i", [0]), 1, array("i", [0]))
            reader.step(batch)
    finally:
        reader.close()


def change_layers(monkeypatch: pytest.MonkeyPatch, change: Callable[[Heads, Heads], tuple[Heads, Heads]]) -> None:
    """What readers hand over from now on."""
    read_kv = PromptReader.read_kv

    def changed(self: PromptReader, slot: int, first: int, end: int) -> Iterator[tuple[Heads, Heads]]:
        for keys, values in read_kv(self, slot, first, end):
            yield change(keys, values)

    monkeypatch.setattr(PromptReader, "read_kv", changed)


@pytest.mark.parametrize("kv_bits", [8, 16])
def test_what_follows_is_near_to_a_prompt_read_here(
    kv_bits: int, bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bundled.with_name("assistant-test")
    if kv_bits == 16:
        folder = tmp_path / "npu"
        written(BUNDLED, folder, chunk=CHUNK, context=128, kv_bits=16)
    with edge.load(bundled, context=256, kv_type="f32", provider="cpu", prefill_backend=f"npu:{folder}") as model:
        reader = model.prefill_source
        assert model.prefill is not None and isinstance(reader, PromptReader)
        ids = model.tokenizer.encode(shipped_text()[1], add_special=False)
        pieces = [ids[start : start + 128] for start in range(0, 6000, 1000)]
        wanted = [logits_behind(model.step_backend, piece, None) for piece in pieces]

        def divergence() -> float:
            found = [logits_behind(model.step_backend, piece, reader) for piece in pieces]
            pairs = [pair for one, two in zip(wanted, found, strict=True) for pair in zip(one, two, strict=True)]
            return float(np.mean([kl_divergence(*pair) for pair in pairs]))

        assert 0 < divergence() <= MOST_KLD
        change_layers(monkeypatch, lambda keys, values: (np.float32(1.02) * keys, values))
        assert divergence() > MOST_KLD  # it can fail


@pytest.mark.parametrize("kv_type", ["f16", "q8", "q4"])
def test_the_answer_is_the_same_text_if_rounding_allows(kv_type: str, bundled: Path) -> None:
    """The prompt is longer than the folder's slots: what is behind them is read here."""
    with edge.load(bundled, context=1024, kv_type=kv_type) as native:
        wanted = native.chat(LONG, max_tokens=32)
    with edge.load(bundled, context=1024, kv_type=kv_type, prefill_backend="npu") as model:
        facts = model.prefill
        assert facts is not None and facts.backend == "onnx/cpu" and facts.path.endswith("assistant-test")
        assert facts.fallback is not None and "the CPU computes, not the NPU of test" in facts.fallback
        assert facts.placement is not None and facts.placement["made_for"] == OPENVINO
        assert set(facts.placement["graphs"]) == {"prefill"} and facts.placement["host"] == {}
        found = model.chat(LONG, max_tokens=32)
        again = model.chat(LONG + "And now?", max_tokens=4)
    assert found.text == wanted.text or kv_type == "q4", found.text  # four bits part what is nearly the same
    assert found.usage.prompt_tokens > SLOTS and found.usage.handed_tokens == SLOTS // 32 * 32
    assert found.backend == wanted.backend and found.prefill_backend == "onnx/cpu"
    assert again.usage.cached_tokens > 100 and again.prefill_backend == "onnx/cpu"


def noted_steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """First position and tokens of every step from now on."""
    steps: list[tuple[int, int]] = []
    step = PromptReader.step

    def noted(self: PromptReader, batch: Batch) -> memoryview[float]:
        steps.append((batch.positions[0], len(batch.positions)))
        return step(self, batch)

    monkeypatch.setattr(PromptReader, "step", noted)
    return steps


def test_it_goes_on_from_what_it_has_read(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt whose beginning the native engine holds: the folder reads what it does not hold itself."""
    with edge.load(bundled, context=1024, prefill_backend="npu", provider="cpu") as model:
        ids = model.tokenizer.encode(shipped_text()[1], add_special=False)
        steps = noted_steps(monkeypatch)
        first = model.generate(ids[:200], max_tokens=1)
        assert first.usage.handed_tokens == 192 and steps == [(0, 48), (48, 48), (96, 48), (144, 48)]
        steps.clear()
        second = model.generate(ids[:330], max_tokens=1)
        assert second.usage.cached_tokens == 192 and second.usage.handed_tokens == 128
        assert steps == [(192, 48), (240, 48), (288, 32)]
        steps.clear()
        other = model.generate(ids[:100] + ids[400:600], max_tokens=1)
        assert other.usage.cached_tokens == 96 and steps[0] == (100, 48)
        short = model.generate(ids[1000:1064], max_tokens=1)
        assert short.usage.handed_tokens == 0 and short.prefill_backend is None


def rows_behind(model: edge.Model, texts: list[list[int]]) -> list[tuple[list[memoryview[float]], int]]:
    """Of each text, one after the other in one engine: logits behind it and behind seven tokens more; how many of its
    tokens were handed over."""
    rows: list[memoryview[float]] = []

    def choose(sequence: Sequence, logits: memoryview[float]) -> int:
        rows.append(memoryview(bytes(logits)).cast("f"))
        return 7 + len(sequence) % 80

    engine = Engine(model.step_backend, choose, reader=model.prefill_source)
    results: list[tuple[list[memoryview[float]], int]] = []
    for number, text in enumerate(texts):
        sequence = Sequence(text, SamplingParams(), max_length=len(text) + 8, seed=0, number=number)
        engine.add(sequence)
        while engine.step():
            pass
        assert sequence.error is None
        results.append((rows[8 * number :], sequence.num_handed_tokens))
    engine.scheduler.handover.stop()
    return results


def test_models_with_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their folders go forward only: a text that goes on is read on, another one from its beginning."""
    config = tiny_config("gemma3", num_hidden_layers=3)
    path = write_gguf(tmp_path / "m.gguf", config, random_tensors(tensor_shapes(config)))
    written(path, tmp_path / "m-npu", chunk=16, context=256, max_tokens=512, target=NOWHERE, kv_bits=16)
    ids = [int(i) for i in np.random.default_rng(3).integers(2, 90, 230)]
    texts = [ids[:100], ids, [*ids[:50], *ids[100:200]]]
    with edge.load(path, context=256, kv_type="f32") as native:
        wanted = rows_behind(native, texts)
    with edge.load(path, context=256, kv_type="f32", prefill_backend="npu") as model:
        steps = noted_steps(monkeypatch)
        found = rows_behind(model, texts)
        assert [first for first, _ in steps] == [*range(0, 224, 16), *range(0, 128, 16)]
        assert [handed for _, handed in found][:2] == [96, 128] and found[2][1] >= 96
        change_layers(monkeypatch, lambda keys, values: (np.roll(keys, 1, axis=1), np.roll(values, 1, axis=1)))
        wrong = rows_behind(model, texts)

    def divergence(rows: list[tuple[list[memoryview[float]], int]]) -> float:
        pairs = [pair for (one, _), (two, _) in zip(wanted, rows, strict=True) for pair in zip(one, two, strict=True)]
        return float(np.mean([kl_divergence(*pair) for pair in pairs]))

    assert divergence(found) < 2e-5 < divergence(wrong)  # measured: 4e-6, and 0.002 one position off


def test_several_answers_at_once_and_a_cancelled_one(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ("What time is it?", LONG, "Once more: " + LONG)
    with edge.load(bundled, context=1024) as native:
        wanted = [native.chat(text, max_tokens=24).text for text in texts]
    step = PromptReader.step

    def cancelled_at_the_second(self: PromptReader, batch: Batch) -> memoryview[float]:
        result = step(self, batch)
        if batch.positions[0] == CHUNK:
            doomed.cancel()
        return result

    with edge.load(bundled, context=1024, sequences=3, prefill_backend="npu", chunk=32) as model:
        monkeypatch.setattr(PromptReader, "step", cancelled_at_the_second)
        doomed = model.stream_chat(LONG + "Stop.", max_tokens=24)  # the first: so the folder reads it
        streams = [model.stream_chat(text, max_tokens=24) for text in texts[:2]]
        assert [stream.completion().text for stream in streams] == wanted[:2]
        stopped = doomed.completion()
        assert stopped.finish_reason == "cancelled" and not stopped.tokens
        monkeypatch.undo()
        assert model.stats.blocks_used == 0
        again = model.chat(texts[2], max_tokens=24)  # nothing is left of what was cancelled
        assert again.usage.handed_tokens == SLOTS - again.usage.cached_tokens > 100 and again.text == wanted[2]


_PEAK = """
import json, sys, edge
from edge.device import peak_memory_bytes
with edge.load(sys.argv[1], context=512, threads=1, prefill_backend="npu") as model:
    handed = model.generate((list(range(5, 95)) * 5)[:400], max_tokens=2).usage.handed_tokens
    print(json.dumps([peak_memory_bytes(), model.plan.total_bytes, model.plan.prefill_bytes, handed]))
"""


def test_its_memory_is_in_the_plan(bundled: Path, tmp_path: Path) -> None:
    """That of the graphs for chunks alone: less than of the folder by itself. And a larger model stays within it."""
    folder = bundled.with_name("assistant-test")
    reader = NpuReader(folder, Settings(context=1024, num_threads=1))
    assert reader.plan.context == SLOTS and reader.plan.chunk == CHUNK
    alone = plan_npu(open_npu_folder(folder), Settings(context=SLOTS, num_threads=1))
    assert 64 * 2**20 < beside(reader.plan) < 0.9 * beside(alone)
    with edge.load(bundled, context=1024) as native:
        without = native.plan.total_bytes
    with edge.load(bundled, context=1024, prefill_backend="npu") as model:
        assert model.plan.total_bytes == without + model.plan.prefill_bytes
    with pytest.raises(DoesNotFit, match="another engine for prompts"):
        edge.load(bundled, context=1024, prefill_backend="npu", memory=without + 2**20)
    config = tiny_config("qwen3", hidden_size=512, intermediate_size=1408, num_hidden_layers=8, head_dim=64,
                         rope_dims=64, max_position_embeddings=512)  # fmt: skip
    path = write_gguf(tmp_path / "m.gguf", config, random_tensors(tensor_shapes(config)))
    written(path, tmp_path / "m-npu", chunk=64, context=512, max_tokens=128, target=NOWHERE)
    command = [sys.executable, "-c", _PEAK, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    peak, planned, prefill, handed = json.loads(result.stdout.splitlines()[-1])
    assert handed == 384 and prefill > 80 * 2**20
    assert 0.4 * planned < peak <= planned


def _said(folder: Path, **changes: object) -> None:
    """In npu.json."""
    said = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(said | changes))


def test_what_is_not_this_model_is_refused(bundled: Path, tmp_path: Path) -> None:
    def refused(reason: str, folder: Path) -> None:
        with pytest.raises(RequestError, match=f"cannot read prompts for this model: {reason}"):
            edge.load(bundled, context=1024, prefill_backend=f"npu:{folder}", provider="cpu")

    config = tiny_config("qwen3")
    small = write_gguf(tmp_path / "small.gguf", config, random_tensors(tensor_shapes(config)))
    written(small, tmp_path / "small", chunk=16, context=128, max_tokens=128)
    refused("it has 2 layers, the model has 6", tmp_path / "small")

    changed = tmp_path / "changed.gguf"
    data = bytearray(BUNDLED.read_bytes())
    data[-64:] = bytes(64)  # of the last tensor
    changed.write_bytes(data)
    folder = tmp_path / "changed"
    written(changed, folder, chunk=CHUNK, context=128, target=NOWHERE)
    refused("it was made from a file with SHA-256", folder)

    _said(folder, source_sha256=[])  # it says nothing, and is near enough
    with edge.load(bundled, context=1024, prefill_backend=f"npu:{folder}", provider="cpu") as model:
        assert model.prefill is not None and model.prefill.kld < 0.25
    _said(folder, architecture="qwen2")
    refused("it is of the architecture qwen2, the model of qwen3", folder)
    _said(folder, architecture="qwen3")

    tokenizer = (folder / "tokenizer.gguf").read_bytes()
    other = tokenizer.replace(b"timer", b"tamer")
    assert other != tokenizer
    (folder / "tokenizer.gguf").write_bytes(other)
    refused("its vocabulary is another one: a token id does not mean the same", folder)
    (folder / "tokenizer.gguf").write_bytes(tokenizer)

    at = json.loads((folder / MANIFEST).read_text())["embedding"][0]
    host = np.frombuffer((folder / "host.bin").read_bytes(), np.uint8).copy()
    codes = slice(at, at + 2048 * 160)
    host[codes] = np.random.default_rng(0).permutation(host[codes])
    (folder / "host.bin").write_bytes(host.tobytes())
    refused("behind a text that it has read, probabilities differ by .* nats, at most 0.25 is rounding", folder)


def test_what_no_other_engine_has_is_refused(bundled: Path, tmp_path: Path) -> None:
    folder = copied(bundled.with_name("assistant-test"), tmp_path)
    rope = json.loads((folder / MANIFEST).read_text())["ropes"][0]
    settings = Settings(context=SLOTS)
    NpuReader(folder, settings)
    for flags in ((True, False), (False, True)):  # of two rotations, which layer has which?
        checked = open_npu_folder(folder)
        ropes = tuple(checked.manifest.ropes[0]._replace(neox=flag) for flag in flags)
        assert ropes[0] != ropes[1] and rope[2] is True
        object.__setattr__(checked.manifest, "ropes", ropes)
        with pytest.raises(RequestError, match="its layers rotate in several ways"):
            PromptReader(runtime(), checked, checked.graphs, provider=Provider(CPU), context=64, num_threads=1, chunk=8)


def test_what_it_cannot_do_is_refused_by_name(bundled: Path, tmp_path: Path) -> None:
    folder = bundled.with_name("assistant-test")
    alone = tmp_path / "assistant.gguf"
    alone.write_bytes(BUNDLED.read_bytes())

    def refused(reason: str, path: Path, **options: Any) -> None:
        with pytest.raises(RequestError, match=reason):
            edge.load(path, context=options.pop("context", 1024), **options)

    refused("there is no folder for an NPU beside .*; `edge export .* --to npu --device", alone, prefill_backend="npu")
    refused("there is no /nosuch; `edge export .* --to npu --device NAME -o", alone, prefill_backend="npu:/nosuch")
    refused(f"assistant-test is for an NPU; npu:{folder} names it", alone, prefill_backend=f"onnx:{folder}")
    cpu = export(alone, tmp_path / "assistant-onnx")
    refused(f"is not for NPUs; onnx:{cpu} names it", alone, prefill_backend=f"npu:{cpu}")
    for name in ("one", "two"):
        (tmp_path / f"assistant-{name}").symlink_to(folder)
    refused("there are assistant-one, assistant-two; name one: npu:FOLDER", alone, prefill_backend="npu")
    npu = {"prefill_backend": f"npu:{folder}"}
    refused(f"strict: the folder is for test, and {OPENVINO}", alone, **npu, strict=True)
    refused("provider is 'nosuch'; here there are", alone, **npu, provider="nosuch")
    refused("prompts are handed over from 73 tokens on; the context is 64", alone, **npu, context=64)
    refused("prefill_backend is 'npu'; the onnx backend has no such option", folder, prefill_backend="npu")
    tight = tmp_path / "tight"
    written(BUNDLED, tight, chunk=16, context=72, max_tokens=128, target=NOWHERE)
    refused("prompts are handed over from 73 tokens on; the context is 72", alone, prefill_backend=f"npu:{tight}")


def test_the_profile_decides_where_nobody_names_one(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "profile.toml"
    monkeypatch.setenv("EDGE_PROFILE", str(path))
    path.write_text(PROFILE.format(speed=310.0).replace('"onnx"', '"npu"'))
    with edge.load(bundled, context=1024) as model:
        assert model.prefill is not None and model.prefill.path == str(folder_of("npu", bundled))
        assert "npu with cpu reads prompts 3.1 times as fast" in str(model.tuning.note)
    with edge.load(bundled, context=1024, prefill_backend="native") as model:
        assert model.prefill is None
    with edge.load(context=1024) as model:  # the bundled file has no folder beside it
        assert model.prefill is None and "is not used: prefill_backend is 'npu': there is no" in str(model.tuning.note)
    path.write_text(path.read_text().replace('"cpu"', '"gone"'))
    with edge.load(bundled, context=1024) as model:
        assert model.prefill is None and "is not used: provider is 'gone'; here there are" in str(model.tuning.note)


def test_commands(bundled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("EDGE_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("EDGE_PROFILE")

    def said(*arguments: str) -> tuple[str, str]:
        assert main([*arguments]) == 0
        read = capsys.readouterr()
        return read.out, read.err

    run = ["run", str(bundled), LONG, "--prefill-backend", "npu", "--context", "1024", "--max-tokens", "8"]
    report = json.loads(said(*run, "--json")[0])
    assert report["prefill_backend"] == "onnx/cpu" and report["usage"]["handed_tokens"] == SLOTS
    assert report["prefill"]["placement"]["made_for"] == OPENVINO and report["backend"].startswith("native/")
    spoken = said(*run)[1]
    assert "prompt tokens by onnx/cpu" in spoken and "the CPU computes, not the NPU of test" in spoken
    plan = ["plan", str(bundled), "--context", "1024", "--prefill-backend", "npu"]
    assert json.loads(said(*plan, "--json")[0])["plan"]["prefill_bytes"] > 64 * 2**20
    assert "another engine that reads them" in said(*plan)[0]
    sizes = ["--prompt", "100", "--decode", "0", "--depth", "0", "--rounds", "1", "--threads", "1"]
    measured = json.loads(said("bench", str(bundled), *sizes, "--prefill-backend", "npu", "--save", "--json")[0])
    assert [item["phase"] for item in measured["results"]] == ["prefill", "handed"]
    (path,) = tmp_path.glob("profiles/*.toml")
    (figure,) = load_profile(path).prefills
    assert (figure.backend, figure.provider, figure.tokens) == ("npu", "cpu", 96)  # what has computed
