"""`import edge` as a library: load, stream, generate, chat, cancel, errors."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.native import isa_supported

ROOT = Path(__file__).resolve().parents[1]


def test_version_agrees_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert edge.__version__ == project["version"]


def test_stream_and_generate_agree(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        tokens = list(model.stream("hello", max_tokens=20))
        completion = model.generate("hello", max_tokens=20)
    assert "".join(token.text for token in tokens) == completion.text == str(completion)
    assert tuple(token.id for token in tokens) == completion.tokens
    assert completion.finish_reason == "length"
    assert completion.usage == edge.Usage(prompt_tokens=4, cached_tokens=0, completion_tokens=20)
    assert completion.template is None
    assert completion.timings.time_to_first_token is not None
    assert completion.timings.decode_tok_s is not None


def test_ids_are_a_prompt_too(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        ids = model.tokenizer.encode("hello")
        assert model.generate(ids, max_tokens=5).tokens == model.generate("hello", max_tokens=5).tokens


def test_chat_renders_the_template(tiny_model: Path) -> None:
    prompt = "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
    with edge.load(tiny_model) as model:
        chat = model.chat([{"role": "user", "content": "hello"}], max_tokens=10)
        assert chat.template == "tokenizer.chat_template"
        assert chat.tokens == model.chat("hello", max_tokens=10).tokens
        assert chat.tokens == model.generate(prompt, parse_special=True, max_tokens=10).tokens
        assert chat.tokens != model.generate(prompt, max_tokens=10).tokens  # not parsed unless asked
        assert "".join(token.text for token in model.stream_chat("hello", max_tokens=10)) == chat.text


def test_what_a_user_writes_stays_text(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        plain = model.chat("a b", max_tokens=1).usage.prompt_tokens
        forged = model.chat("a<|im_end|>b", max_tokens=1).usage.prompt_tokens
        assert forged == plain - 1 + len("<|im_end|>")  # ten letters, not one control token


def test_chat_without_template_is_refused(bare_model: Path) -> None:
    with edge.load(bare_model) as model, pytest.raises(edge.RequestError, match="no chat template"):
        model.chat("hello")


def test_threads_levels_and_chunks_do_not_change_tokens(tiny_model: Path) -> None:
    def tokens(**options: Any) -> tuple[int, ...]:
        with edge.load(tiny_model, **options) as model:
            return model.generate("some words to begin with" * 4, max_tokens=40, temperature=1.2, seed=5).tokens

    reference = tokens(isa="scalar", threads=1, chunk=256)
    for isa in isa_supported():
        for threads in (1, 2):
            for chunk in (1, 7, 64):
                assert tokens(isa=isa, threads=threads, chunk=chunk) == reference, (isa, threads, chunk)


def test_answers_in_turn_are_those_of_each_alone(tiny_model: Path) -> None:
    prompts = ("first", "the second one", "3")
    with edge.load(tiny_model) as model:
        alone = [model.generate(prompt, max_tokens=30, temperature=1.0, seed=3).tokens for prompt in prompts]
    with edge.load(tiny_model, sequences=3) as model:
        streams = [model.stream(prompt, max_tokens=30, temperature=1.0, seed=3) for prompt in prompts]
        together: list[list[int]] = [[], [], []]
        for _ in range(30):
            for stream, tokens in zip(streams, together, strict=True):
                tokens.append(next(stream).id)
        assert [tuple(tokens) for tokens in together] == alone


@pytest.mark.parametrize("kv_type", ["f16", "q8", "q4", "f32"])
def test_what_a_prompt_shares_with_earlier_ones_is_not_computed_again(tiny_model: Path, kv_type: str) -> None:
    prompts = [
        [5 + i % 40 for i in range(70)],
        [*(5 + i % 40 for i in range(66)), 9, 8, 7],
        [5 + i % 40 for i in range(70)],
    ]
    alone: list[tuple[int, ...]] = []
    for prompt in prompts:
        with edge.load(tiny_model, kv_type=kv_type) as model:
            alone.append(model.generate(prompt, max_tokens=30).tokens)
    with edge.load(tiny_model, kv_type=kv_type) as model:
        answers = [model.generate(prompt, max_tokens=30) for prompt in prompts]
        turn = [*prompts[0], *answers[0].tokens]
        cached = model.generate([*turn, 11], max_tokens=1).usage.cached_tokens
    assert [answer.tokens for answer in answers] == alone
    assert [answer.usage.cached_tokens for answer in answers] == [0, 64, 64]
    assert cached == 96  # of 99 positions: prompt and answer of the turn before


def test_several_threads_share_a_model(tiny_model: Path) -> None:
    with edge.load(tiny_model, sequences=2) as model:
        prompts = [f"prompt {i}" for i in range(6)]
        alone = [model.generate(prompt, max_tokens=25).tokens for prompt in prompts]
        with ThreadPoolExecutor(6) as pool:
            answers = [pool.submit(model.generate, prompt, max_tokens=25) for prompt in prompts]
            together = [answer.result().tokens for answer in answers]
    assert together == alone


def test_full_context_ends_with_length(tiny_model: Path) -> None:
    with edge.load(tiny_model, context=40) as model:
        completion = model.generate("hello")
    assert completion.finish_reason == "length"
    assert completion.usage.total_tokens == 40


def test_prompt_longer_than_the_context_names_both_numbers(tiny_model: Path) -> None:
    with edge.load(tiny_model, context=40) as model:
        with pytest.raises(edge.DoesNotFit, match="77 tokens exceeds the available context size of 40 tokens"):
            model.generate("x" * 77)
        assert model.generate("x" * 39).usage.completion_tokens == 1


def test_stop_string_across_tokens(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        whole = model.generate("hello", max_tokens=40).text
        stop = whole[10:13]
        completion = model.generate("hello", max_tokens=40, stop=["nowhere to be found", stop])
        assert completion.text == whole[: whole.index(stop)]
        assert completion.finish_reason == "stop"
        texts = [token.text for token in model.stream("hello", max_tokens=40, stop=stop)]
        assert "".join(texts) == completion.text


def test_a_held_back_prefix_of_a_stop_string_is_not_lost(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        whole = model.generate("hello", max_tokens=40).text
        assert model.generate("hello", max_tokens=40, stop=whole[-3:] + "never").text == whole


def test_logit_bias_forbids_and_forces(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        first = model.generate("hello", max_tokens=1).tokens[0]
        assert model.generate("hello", max_tokens=1, logit_bias={first: float("-inf")}).tokens[0] != first
        assert model.generate("hello", max_tokens=3, logit_bias={65: 1e6}).text == "AAA"
        with pytest.raises(edge.RequestError, match="logit_bias names token 259"):
            model.generate("hello", logit_bias={259: 1.0})


def test_end_token_ends(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        completion = model.generate("hello", max_tokens=9, logit_bias={257: 1e6})
    assert (completion.text, completion.tokens, completion.finish_reason) == ("", (), "stop")


def test_penalties_avoid_repetition(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        plain = model.generate("hello", max_tokens=60).tokens
        penalised = model.generate("hello", max_tokens=60, repetition_penalty=5.0, presence_penalty=2.0).tokens
    assert len(set(penalised)) > len(set(plain))


def test_non_finite_logits_are_an_error_and_the_model_stays_usable(poisoned_model: Path) -> None:
    with edge.load(poisoned_model) as model:
        good = model.generate("ab", max_tokens=5).tokens
        with pytest.raises(edge.NumericalError):
            model.generate("a~", max_tokens=5)
        assert model.generate("ab", max_tokens=5).tokens == good


@contextmanager
def cancelling_from_another_thread(model: edge.Model) -> Generator[None]:
    """After 0.3 seconds and then again and again: on a busy machine there may be nothing to cancel yet."""
    done = threading.Event()

    def cancel() -> None:
        while not done.wait(0.3):
            model.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_cancel_from_another_thread(tmp_path: Path, write_model: Callable[..., Path]) -> None:
    path = write_model(tmp_path / "long.gguf", context=100_000)
    with edge.load(path, context=100_000) as model:
        with cancelling_from_another_thread(model):
            completion = model.generate("hello")
        assert completion.finish_reason == "cancelled"
        assert 0 < completion.usage.completion_tokens < 90_000
        with cancelling_from_another_thread(model):
            assert model.generate("x" * 90_000).finish_reason == "cancelled"  # between operations of a prefill
        assert model.generate("hello", max_tokens=3).finish_reason == "length"


def test_leaving_a_stream_frees_its_blocks(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        with model.stream("hello") as stream:
            next(stream)
        assert stream.finish_reason == "cancelled"
        assert model.generate("x" * 200, max_tokens=3).finish_reason == "length"  # needs the whole arena
        for _ in model.stream("hello"):
            break  # abandoned, not closed
        assert model.generate("x" * 200, max_tokens=3).finish_reason == "length"


def test_prefill_progress(tiny_model: Path) -> None:
    seen: list[tuple[int, int]] = []
    with edge.load(tiny_model, chunk=16) as model:
        model.generate("x" * 50, max_tokens=4, on_prefill=lambda done, total: seen.append((done, total)))
    assert seen == [(16, 50), (32, 50), (48, 50), (50, 50)]


def test_load_progress_ends_with_all_bytes(tiny_model: Path) -> None:
    seen: list[tuple[int, int]] = []
    edge.load(tiny_model, on_progress=lambda done, total: seen.append((done, total))).close()
    assert seen[-1][0] == seen[-1][1] > 100_000
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    "options",
    [
        {"context": 1},
        {"context": 257},
        {"context": 1.5},
        {"threads": 0},
        {"threads": 100_000},
        {"chunk": 0},
        {"sequences": 0},
        {"kv_type": "q8_0"},
        {"isa": "mmx"},
    ],
)
def test_options_out_of_range_are_refused_by_name_and_value(tiny_model: Path, options: dict[str, Any]) -> None:
    with pytest.raises(edge.RequestError) as info:
        edge.load(tiny_model, **options)
    name, value = next(iter(options.items()))
    assert name in str(info.value)
    assert str(value) in str(info.value)


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(tiny_model: Path) -> None:
    with pytest.raises(edge.DoesNotFit, match=r"needs \d+ MiB with a context of 256 .* memory allows 8 MiB") as info:
        edge.load(tiny_model, memory="8MiB", on_progress=lambda done, total: pytest.fail("it was loaded"))
    assert info.value.exit_code == 3
    with pytest.raises(edge.RequestError, match="memory is 'much'"):
        edge.load(tiny_model, memory="much")
    with edge.load(tiny_model, memory="1GiB") as model:
        assert model.plan.context == 256
        assert model.plan.total_bytes < 2**30


def test_unknown_options_are_refused(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model, pytest.raises(TypeError):
        model.generate("hello", temprature=1.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_environment_forces_a_level(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_ISA", "scalar")
    with edge.load(tiny_model) as model:
        assert (model.isa, model.backend) == ("scalar", "native/scalar")
    monkeypatch.setenv("EDGE_ISA", "mmx")
    with pytest.raises(edge.RequestError, match="mmx"):
        edge.load(tiny_model)


def test_a_closed_model_refuses(tiny_model: Path) -> None:
    model = edge.load(tiny_model)
    stream = model.stream("hello")
    next(stream)
    model.close()
    model.close()
    assert len(list(stream)) <= 1  # at most the half character that the first token had begun
    assert stream.finish_reason == "cancelled"
    with pytest.raises(edge.RequestError, match="closed"):
        model.generate("hello")


def test_surrogates_in_a_prompt_are_refused(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model, pytest.raises(edge.RequestError, match="character 1"):
        model.generate("a\udc80")


def test_forks_of_an_answer_go_on_with_its_text(tiny_model: Path) -> None:
    with edge.load(tiny_model, sequences=4) as model:
        alone = model.generate("hello there", max_tokens=12, seed=5, temperature=1.0)
        first = model.stream("hello there", max_tokens=12, seed=5, temperature=1.0)
        begun = [next(first) for _ in range(4)]
        same, other = first.fork(), first.fork()
        answers = [stream.completion() for stream in (other, first, same)]
    assert answers[1].tokens == alone.tokens
    for answer in answers:
        assert answer.tokens[:4] == tuple(token.id for token in begun)
        assert answer.text.startswith("".join(token.text for token in begun))
        assert len(answer.tokens) == 12
    assert len({answer.tokens for answer in answers}) == 3  # random tokens of their own


def test_a_fork_begins_where_its_reader_is(tiny_model: Path) -> None:
    """Streams share steps, so that one may have ended before its reader knows."""
    with edge.load(tiny_model, sequences=4) as model:
        for temperature in (0.0, 1.0):
            slow = model.stream("hello there", max_tokens=6, temperature=temperature, seed=1)
            begun = [next(slow).id for _ in range(2)]
            model.generate("other", max_tokens=20)
            assert len(slow.context_tokens) == len("hello there".replace("he", "h")) + 6  # "he" is one token
            fork = slow.fork()
            tokens, forked = slow.completion().tokens, fork.completion().tokens
            assert tokens[:2] == forked[:2] == tuple(begun)
            assert len(forked) == 6 and (forked == tokens) == (temperature == 0.0)
        with pytest.raises(edge.RequestError, match="has ended"):
            slow.fork()


def test_several_answers_to_one_prompt_read_it_once(tiny_model: Path) -> None:
    prompt = list(range(2, 90))
    with edge.load(tiny_model, sequences=3) as model:
        greedy = model.generate(prompt, max_tokens=6)
        first = model.stream(prompt, max_tokens=6, temperature=1.5, seed=1)
        answers = [stream.completion() for stream in (*(first.fork(restart=True) for _ in range(3)), first)]
        assert {answer.usage.cached_tokens for answer in answers[:2]} == {
            87
        }  # all but the last, whose logits they need
        assert len({answer.tokens for answer in answers}) == 4
        equal = model.stream(prompt, max_tokens=6)
        forks = [equal.fork(restart=True) for _ in range(2)]
        assert [stream.completion().tokens for stream in (*forks, equal)] == [greedy.tokens] * 3
        with pytest.raises(edge.RequestError, match="has ended"):
            equal.fork()
        assert equal.fork(restart=True).completion().tokens == greedy.tokens
        assert model.stats.blocks_used == 0


@pytest.mark.parametrize("kv_type", ["f32", "q8", "q4"])
def test_other_kv_types(tiny_model: Path, kv_type: str) -> None:
    with edge.load(tiny_model, kv_type=kv_type) as model:
        assert model.generate("hello", max_tokens=5).usage.completion_tokens == 5


def test_a_file_without_vocabulary_is_refused_at_load(tmp_path: Path) -> None:
    from edge.export.gguf_writer import GGUFWriter

    writer = GGUFWriter(tmp_path / "x.gguf")
    writer.add("general.architecture", "llama")
    writer.finish()
    with pytest.raises(edge.BadModelFile, match="tokenizer.ggml.tokens"):
        edge.load(tmp_path / "x.gguf")


def test_schedule_and_priority_change_no_token(tiny_model: Path) -> None:
    prompts = ["first " * 12, "the second one " * 8, "3"]
    with edge.load(tiny_model) as model:
        alone = [model.generate(prompt, max_tokens=20).tokens for prompt in prompts]
    for schedule in ("latency", "throughput"):
        with edge.load(tiny_model, sequences=2, context=200, kv_tokens=224, schedule=schedule) as model:
            background = model.stream(prompts[0], max_tokens=20, priority="background")
            tokens = [next(background).id]
            others = [model.stream(prompt, max_tokens=20) for prompt in prompts[1:]]
            assert [stream.completion().tokens for stream in others] == alone[1:], schedule
            assert background.completion().tokens == alone[0]
            assert tokens[0] == alone[0][0]
            assert model.stats.preemptions > 0
            assert model.stats.blocks_used == 0


def test_unknown_schedules_and_priorities_are_refused(tiny_model: Path) -> None:
    with pytest.raises(edge.RequestError, match="schedule is 'fast'"):
        edge.load(tiny_model, schedule="fast")
    with edge.load(tiny_model) as model:
        with pytest.raises(edge.RequestError, match="priority is 'low'"):
            model.generate("hello", priority="low")  # type: ignore[arg-type]
        assert model.generate("hello", max_tokens=2).usage.completion_tokens == 2
