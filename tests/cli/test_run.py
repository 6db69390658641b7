"""`edge run`: arguments, output, the measured line, JSON, exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

import edge
from edge.cli.run import split_arguments

RunEdge = Callable[..., CompletedProcess[str]]

LINE = re.compile(
    r"^measured: \d+ prompt \(0 cached\) [\d.]+ tok/s · TTFT \d+\.\d\d s · 5 tokens [\d.]+ tok/s"
    r" · native/\w+ · peak [\d.]+ [MG]iB · chat template of the file · ended by length$"
)


def test_two_arguments_answer(run_edge: RunEdge, tiny_model: Path) -> None:
    result = run_edge("run", str(tiny_model), "hello", "--max-tokens", "5")
    assert result.returncode == 0
    with edge.load(tiny_model) as model:
        assert result.stdout == model.chat("hello", max_tokens=5).text + "\n"
    assert LINE.match(result.stderr.strip()), result.stderr


def test_one_argument_may_be_the_model(run_edge: RunEdge, tiny_model: Path) -> None:
    result = run_edge("run", str(tiny_model))
    assert result.returncode == 2
    assert "no prompt" in result.stderr


def test_kv_type(run_edge: RunEdge, tiny_model: Path) -> None:
    found = run_edge("run", str(tiny_model), "hello", "--max-tokens", "5", "--json", "--kv-type", "q8")
    with edge.load(tiny_model, kv_type="q8") as model:
        assert json.loads(found.stdout)["tokens"] == list(model.chat("hello", max_tokens=5).tokens)
        assert model.kv_type == json.loads(found.stdout)["kv_type"] == "q8"
    wrong = run_edge("run", str(tiny_model), "hello", "--kv-type", "q5")
    assert wrong.returncode == 2
    assert wrong.stderr == "edge: kv_type is 'q5'; it must be one of f16, q8, q4, f32\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((None, None), (None, None)),
        (("hello", None), (None, "hello")),
        (("assistant", None), ("assistant", None)),
        (("x.gguf", None), ("x.gguf", None)),
        (("x.gguf", "-"), ("x.gguf", "-")),
        (("-", None), (None, "-")),
        (("hello", "you"), ("hello", "you")),
    ],
)
def test_arguments(arguments: tuple[str | None, str | None], expected: tuple[str | None, str | None]) -> None:
    assert split_arguments(*arguments) == expected


def test_dash_reads_standard_input(run_edge: RunEdge, tiny_model: Path) -> None:
    piped = run_edge("run", str(tiny_model), "-", "--max-tokens", "8", input=b"hello")
    given = run_edge("run", str(tiny_model), "hello", "--max-tokens", "8")
    assert piped.returncode == 0
    assert piped.stdout == given.stdout


def test_json(run_edge: RunEdge, tiny_model: Path) -> None:
    result = run_edge("run", str(tiny_model), "hello", "--max-tokens", "6", "--json", "--seed", "7", "--threads", "1")
    assert result.returncode == 0
    assert result.stderr == ""
    report: dict[str, Any] = json.loads(result.stdout)
    assert report["finish_reason"] == "length"
    assert report["usage"]["completion_tokens"] == 6
    assert report["usage"]["cached_tokens"] == 0
    assert report["usage"]["total_tokens"] == report["usage"]["prompt_tokens"] + 6
    assert report["timings"]["measured"] is True
    assert report["timings"]["prefill_tok_s"] > 0
    assert report["timings"]["decode_tok_s"] > 0
    assert report["backend"] == f"native/{report['isa']}"
    assert report["template"] == "tokenizer.chat_template"
    assert (report["seed"], report["threads"], report["context"]) == (7, 1, 256)
    assert len(report["tokens"]) == 6
    assert report["peak_memory_bytes"] > 2**20


def test_raw_and_missing_template_are_said(run_edge: RunEdge, tiny_model: Path, bare_model: Path) -> None:
    raw = run_edge("run", str(tiny_model), "hello", "--raw", "--max-tokens", "4")
    bare = run_edge("run", str(bare_model), "hello", "--max-tokens", "4")
    assert "no chat template (--raw)" in raw.stderr
    assert "no chat template in the file" in bare.stderr
    assert raw.stdout == bare.stdout
    report = json.loads(run_edge("run", str(bare_model), "hello", "--max-tokens", "4", "--json").stdout)
    assert report["template"] is None
    assert report["template_note"] == "no chat template in the file"


def test_raw_reads_special_tokens(run_edge: RunEdge, tiny_model: Path) -> None:
    prompt = "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
    raw = run_edge("run", str(tiny_model), prompt, "--raw", "--max-tokens", "8")
    chat = run_edge("run", str(tiny_model), "hello", "--max-tokens", "8")
    assert raw.stdout == chat.stdout


def test_system_changes_the_prompt(run_edge: RunEdge, tiny_model: Path, bare_model: Path) -> None:
    plain = json.loads(run_edge("run", str(tiny_model), "hello", "--max-tokens", "1", "--json").stdout)
    told = json.loads(
        run_edge("run", str(tiny_model), "hello", "--max-tokens", "1", "--json", "--system", "short").stdout
    )
    assert told["usage"]["prompt_tokens"] > plain["usage"]["prompt_tokens"]
    assert run_edge("run", str(tiny_model), "hello", "--raw", "--system", "x").returncode == 2
    assert run_edge("run", str(bare_model), "hello", "--system", "x").returncode == 2


def test_stop_string_ends_and_is_left_out(run_edge: RunEdge, tiny_model: Path) -> None:
    whole = json.loads(run_edge("run", str(tiny_model), "hello", "--max-tokens", "40", "--json").stdout)["text"]
    stop = whole[5:7]
    stops = ("--stop", "never there", "--stop", stop)
    cut = json.loads(run_edge("run", str(tiny_model), "hello", "--max-tokens", "40", "--json", *stops).stdout)
    assert cut["text"] == whole[: whole.index(stop)]
    assert cut["finish_reason"] == "stop"


def test_environment_twins(run_edge: RunEdge, tiny_model: Path) -> None:
    env = {
        "EDGE_MAX_TOKENS": "3",
        "EDGE_JSON": "1",
        "EDGE_SEED": "11",
        "EDGE_TEMPERATURE": "0.7",
        "EDGE_THREADS": "1",
        "EDGE_CONTEXT": "64",
        "EDGE_RAW": "1",
        "EDGE_ISA": "scalar",
        "EDGE_STOP": "two words",
    }
    report = json.loads(run_edge("run", str(tiny_model), "hello", env=env).stdout)
    assert report["usage"]["completion_tokens"] == 3
    assert (report["seed"], report["threads"], report["context"]) == (11, 1, 64)
    assert (report["isa"], report["template"]) == ("scalar", None)


def test_every_option_has_a_twin() -> None:
    from edge.cli.doctor import command as doctor
    from edge.cli.run import command as run
    from edge.cli.show import command as show

    for command in (run, show, doctor):
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "debug":
                flag = parameter.opts[0].removeprefix("--")
                assert parameter.envvar == "EDGE_" + flag.upper().replace("-", "_")


def test_seed_decides(run_edge: RunEdge, tiny_model: Path) -> None:
    def text(*options: str) -> str:
        result = run_edge("run", str(tiny_model), "hello", "--max-tokens", "30", "--temperature", "1.5", *options)
        return result.stdout

    assert text("--seed", "1") == text("--seed", "1", "--threads", "1", "--isa", "scalar")
    assert text("--seed", "1") != text("--seed", "2")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "missing.gguf", "hi"], 4, "no such file"),
        (["run", "./mistyped"], 4, "no such file"),
        (["run", "user/repo:Q8_0", "hi"], 2, "not on this machine"),
        (["run", "nonsense", "hi"], 2, "neither a file nor a known name"),
        (["run", "--temperature", "-1", "hi"], 2, "temperature is -1.0"),
        (["run", "--top-p", "7", "hi"], 2, "top_p is 7.0"),
        (["run", "--threads", "many", "hi"], 2, "'many' is not a valid integer"),
        (["run", ""], 2, "the prompt is empty"),
        (["run"], 2, "no prompt"),
        (["run", "a", "b", "c"], 2, "unexpected extra argument"),
        (["run", "--budget", "1GiB", "hi"], 2, "No such option"),
        (["run", "--memory", "lots", "hi"], 2, "memory is 'lots'"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_errors_are_one_sentence(run_edge: RunEdge, arguments: list[str], code: int, words: str) -> None:
    result = run_edge(*arguments)
    assert result.returncode == code
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_options_of_loading_are_checked(run_edge: RunEdge, tiny_model: Path) -> None:
    for option, value in (("--threads", "0"), ("--context", "1"), ("--context", "257"), ("--isa", "mmx")):
        result = run_edge("run", str(tiny_model), "hi", option, value)
        assert result.returncode == 2, (option, value, result)
        assert value in result.stderr


def test_prompt_longer_than_the_context(run_edge: RunEdge, tiny_model: Path) -> None:
    result = run_edge("run", str(tiny_model), "x" * 300)
    assert result.returncode == 3
    assert re.search(r"prompt of 3\d\d tokens exceeds the available context size of 256 tokens", result.stderr)


def test_bad_model_file(run_edge: RunEdge, tmp_path: Path, tiny_model: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny_model.read_bytes()[:3000])
    result = run_edge("run", str(cut), "hi")
    assert result.returncode == 4
    assert "cut.gguf" in result.stderr
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    assert run_edge("run", str(tmp_path / "model.onnx"), "hi").returncode == 4


def test_non_finite_logits_are_an_error(run_edge: RunEdge, poisoned_model: Path) -> None:
    result = run_edge("run", str(poisoned_model), "a~b", "--raw")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "not finite" in result.stderr


def test_debug_shows_the_traceback(run_edge: RunEdge) -> None:
    for arguments in (["run", "--debug", "missing.gguf", "hi"], ["--debug", "run", "missing.gguf", "hi"]):
        result = run_edge(*arguments)
        assert result.returncode == 4
        assert "Traceback" in result.stderr


def test_input_that_is_not_utf8(run_edge: RunEdge, tiny_model: Path) -> None:
    result = run_edge("run", str(tiny_model), "-", input=b"ab\xff")
    assert result.returncode == 2
    assert "byte 2" in result.stderr


def test_a_file_with_spaces_in_its_name(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "my model").write_bytes(tiny_model.read_bytes())
    result = run_edge("run", "my model", "hello", "--max-tokens", "2", cwd=tmp_path)
    assert result.returncode == 0
