"""onnxruntime-genai and folders: it runs ours, and folders of its builder run in our backend."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.export.gguf_source import GGUFSource
from edge.export.hugging_face import HuggingFaceSource
from edge.export.onnx import OnnxOptions, Rounding
from edge.export.onnx.export import export_onnx
from edge.loading import load
from edge.references import resolve
from tests.onnx.random_models import write_random

pytest.importorskip("onnxruntime_genai", reason="onnxruntime-genai is not installed")
genai: Any = importlib.import_module("onnxruntime_genai")
PROMPT = "Turn on the light in the kitchen, 42 times!"


def generate(folder: Path, prompt: str, count: int) -> tuple[list[int], list[int], str]:
    """Tokens of the prompt, tokens of the answer and its text, greedily, by onnxruntime-genai."""
    model = genai.Model(str(folder))
    tokenizer, params = genai.Tokenizer(model), genai.GeneratorParams(model)
    tokens = [int(token) for token in tokenizer.encode(prompt)]
    params.set_search_options(max_length=len(tokens) + count, do_sample=False)
    generator, answer = genai.Generator(model, params), list[int]()
    generator.append_tokens(np.array(tokens, np.int32))
    while not generator.is_done():
        generator.generate_next_token()
        answer.append(int(generator.get_next_tokens()[0]))
    return tokens, answer, str(tokenizer.decode(answer))


def answer_here(folder: Path, prompt: str, count: int) -> tuple[list[int], list[int], str]:
    with load(folder, context=256, threads=1) as model:
        tokens = model.tokenizer.encode(prompt)
        done = model.generate(tokens, max_tokens=count, temperature=0.0)
        return tokens, list(done.tokens), done.text


@pytest.mark.parametrize("all_logits", [False, True])
def test_it_says_the_same_from_the_bundled_model(all_logits: bool, tmp_path: Path) -> None:
    with GGUFSource(resolve(None)) as source:
        folder = export_onnx(source, tmp_path / "onnx", OnnxOptions(all_logits=all_logits)).path
    assert generate(folder, PROMPT, 24) == answer_here(folder, PROMPT, 24)


@pytest.mark.parametrize("name", ["llama", "mistral", "qwen2", "qwen3", "gemma3", "phi3"])
def test_it_says_the_same_from_random_models(name: str, tmp_path: Path) -> None:
    with GGUFSource(write_random(tmp_path / "m.gguf", name, tied=True)) as source:
        folder = export_onnx(source, tmp_path / "onnx", OnnxOptions(Rounding(4))).path
    assert generate(folder, PROMPT, 24)[:2] == answer_here(folder, PROMPT, 24)[:2]


def _complete(tokenizer: dict[str, Any]) -> None:
    """With what transformers wants of an added token."""
    for token in tokenizer["added_tokens"]:
        token.update(dict.fromkeys(("single_word", "lstrip", "rstrip"), False))
    tokenizer["decoder"].update({"add_prefix_space": True, "trim_offsets": True, "use_regex": True})


def _named(settings: dict[str, Any]) -> None:
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"


BUILT = ("llama", "qwen3")
# One process for all models: most of its time goes into importing torch and transformers.
_BUILD = """
import runpy, sys
for source, folder, cache in zip(*[iter(sys.argv[1:])] * 3):
    sys.argv = ["builder", "-i", source, "-o", folder, "-p", "int4", "-e", "cpu", "-c", cache]
    sys.argv += ["--extra_options", "int4_block_size=32", "int4_accuracy_level=4"]
    runpy.run_module("onnxruntime_genai.models.builder", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def all_built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Random Hugging Face models, and the folders that genai's builder makes of them."""
    pytest.importorskip("onnx_ir", reason="onnx_ir, which the builder needs, is not installed")
    models = importlib.import_module("tests.export.models")  # needs torch and transformers, or skips
    made: dict[str, tuple[Path, Path]] = {}
    arguments: list[str] = []
    for name in BUILT:
        scratch = tmp_path_factory.mktemp(name)
        source, folder = scratch / "hf", scratch / "genai"
        models.make(source, name)
        models.write_tokenizer(source)
        models.change_json(source / "tokenizer.json", _complete)
        models.change_json(source / "tokenizer_config.json", _named)
        made[name] = source, folder
        arguments += [str(source), str(folder), str(scratch / "cache")]
    subprocess.run([sys.executable, "-c", _BUILD, *arguments], check=True, capture_output=True, timeout=300)
    return made


@pytest.fixture(params=BUILT)
def built(request: pytest.FixtureRequest, all_built: dict[str, tuple[Path, Path]]) -> tuple[Path, Path]:
    return all_built[str(request.param)]


def test_folders_of_its_builder_run_here(built: tuple[Path, Path]) -> None:
    _, folder = built
    tokens, answer, _ = generate(folder, PROMPT, 24)
    found = answer_here(folder, PROMPT, 24)
    assert found[0] == tokens and found[1] == answer


def test_our_export_of_the_same_folder_runs_there(built: tuple[Path, Path], tmp_path: Path) -> None:
    """From Hugging Face's folder, with its own tokenizer's files."""
    source, _ = built
    with HuggingFaceSource(source) as weights:
        folder = export_onnx(weights, tmp_path / "onnx", OnnxOptions(), folder=source).path
    assert (folder / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()
    assert generate(folder, PROMPT, 24)[:2] == answer_here(folder, PROMPT, 24)[:2]
