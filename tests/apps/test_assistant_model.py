"""The shipped model: what its file says, that its vocabulary is read as it was trained, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

import edge
from apps.assistant_model.data import EVAL_SEED, TRAIN_SEED, Example, make_examples
from apps.assistant_model.evaluate import score_model
from apps.assistant_model.scoring import EVAL_KINDS, evaluation_set
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.types import GGMLType
from edge.templates import render
from edge.tokenizer import Tokenizer

SAMPLE = 60  # requests of each held-out set that a test run answers
CHAT = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
GOLDEN = {
    "turn on the kitchen light": '[{"name":"set_light","arguments":{"room":"kitchen","state":"on"}}]',
    "wake me at ten to seven and turn the hall light off": (
        '[{"name":"set_alarm","arguments":{"time":"06:50"}},'
        '{"name":"set_light","arguments":{"room":"hall","state":"off"}}]'
    ),
    "Set a timer for twenty five minutes, please.": '[{"name":"set_timer","arguments":{"minutes":25}}]',
    "what is 12 times 7": '[{"name":"calculate","arguments":{"expression":"12*7"}}]',
    "add milk and eggs to the shopping list": (
        '[{"name":"add_to_list","arguments":{"list":"shopping","items":["milk","eggs"]}}]'
    ),
    "turn on the light": "Which room do you mean?",
    "book me a flight to paris": "Sorry, I can't do that.",
    "thank you": "You're welcome.",
}


@pytest.fixture(scope="module")
def path() -> Path:
    asset = resources.files("edge") / "assets" / "assistant.gguf"
    assert isinstance(asset, Path)
    return asset


@pytest.fixture(scope="module")
def file(path: Path) -> Iterator[GGUFFile]:
    with open_gguf(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def tokenizer(file: GGUFFile) -> Tokenizer:
    return Tokenizer.from_gguf(file)


def test_the_file_is_small_and_says_where_it_comes_from(file: GGUFFile, path: Path) -> None:
    assert path.stat().st_size <= 2_000_000
    assert file.get_str("general.license") == "apache-2.0"
    assert file.get_int("edge.training.data_seed") == TRAIN_SEED
    assert file.get_int("edge.evaluation.seed") == EVAL_SEED
    assert file.get_int("edge.training.steps") > 100
    card = file.get_str("general.description")
    for kind in EVAL_KINDS:
        for weights in ("float", "q8_0"):
            share = file.get_float(f"edge.evaluation.{weights}.{kind}")
            assert 0.5 < share <= 1.0
            assert f"{share:.1%}" in card
    assert "Limits:" in card and "Apache-2.0" in card


def test_matrices_are_q8_0_and_the_head_is_tied(file: GGUFFile) -> None:
    assert {tensor.type for tensor in file.tensors.values()} == {GGMLType.Q8_0, GGMLType.F32}
    assert "output.weight" not in file.tensors


def encode_as_trained(file: GGUFFile, texts: list[str]) -> list[list[int]]:
    """Ids from the `tokenizers` library, put together here from the file's own lists."""
    from tokenizers import Regex
    from tokenizers import Tokenizer as Trained
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

    from apps.assistant_model.tokenizer_bpe import QWEN2, SPECIAL

    tokens = list(file.get_strings("tokenizer.ggml.tokens"))
    merges = [tuple(merge.split(" ")) for merge in file.get_strings("tokenizer.ggml.merges")]
    trained = Trained(BPE({token: i for i, token in enumerate(tokens)}, [(pair[0], pair[1]) for pair in merges]))
    trained.pre_tokenizer = Sequence([Split(Regex(QWEN2), "isolated"), ByteLevel(False, use_regex=False)])
    trained.add_special_tokens(list(SPECIAL))  # pyright: ignore[reportUnknownMemberType]
    return [encoding.ids for encoding in trained.encode_batch(texts)]


def test_the_vocabulary_reads_as_it_was_trained(file: GGUFFile, tokenizer: Tokenizer) -> None:
    examples: list[Example] = make_examples(9, "train", 300) + make_examples(9, "new_values", 300)
    texts = [f"{CHAT.format(turn.request)}{turn.answer}<|im_end|>" for example in examples for turn in example]
    texts.append(CHAT.format("Grüße, 12 °C – naïve 日本 🙂\n\tx"))
    for text, wanted in zip(texts, encode_as_trained(file, texts), strict=True):
        ids = tokenizer.encode(text, parse_special=True)
        assert ids == wanted, text
        assert tokenizer.decode(ids, skip_special=False) == text
    assert [tokenizer.token_text(i) for i in sorted(tokenizer.eog_ids)] == ["<|endoftext|>", "<|im_end|>"]


def test_no_merge_joins_a_space_to_a_word(file: GGUFFile) -> None:
    joined = [token for token in file.get_strings("tokenizer.ggml.tokens") if "Ġ" in token and token.strip("Ġ")]
    assert not [token for token in joined if token.strip("Ġ").isalpha()], "copying would change its tokens"


def test_the_chat_template_is_the_one_trained_with(file: GGUFFile) -> None:
    template = file.get_str("tokenizer.chat_template")
    messages = [{"role": "user", "content": "hi {{ there }}"}]
    assert render(template, messages, bos_token="", eos_token="<|im_end|>") == CHAT.format("hi {{ there }}")


@pytest.fixture(scope="module")
def model(path: Path) -> Iterator[edge.Model]:
    with edge.load(path) as loaded:
        yield loaded


@pytest.mark.parametrize("request_text", GOLDEN)
def test_golden_answers(model: edge.Model, request_text: str) -> None:
    completion = model.chat(request_text, max_tokens=200)
    assert completion.text == GOLDEN[request_text]
    assert completion.finish_reason == "stop"


def test_the_engine_answers_as_well_as_the_card_says(model: edge.Model, file: GGUFFile) -> None:
    for kind in EVAL_KINDS:
        # The engine rounds activations to 8 bits and a sample varies: a floor well below the card, far above a bug.
        floor = file.get_float(f"edge.evaluation.q8_0.{kind}") - 0.1
        score = score_model(model, evaluation_set(kind, SAMPLE))
        assert score.exact_match >= floor, score.misses
        assert score.invalid_json <= 0.05


def test_llama_cpp_gives_the_same_answers(path: Path, model: edge.Model) -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    peer = llama_cpp.Llama(str(path), n_ctx=512, n_threads=1, verbose=False)
    for example in evaluation_set("new_values", 10):
        text = example[-1].request
        ids = peer.tokenize(CHAT.format(text).encode(), add_bos=False, special=True)
        assert ids == model.tokenizer.encode(CHAT.format(text), parse_special=True)
        result = peer.create_completion(ids, max_tokens=200, temperature=0.0, seed=1)
        assert result["choices"][0]["text"] == model.chat(text, max_tokens=200).text


def test_every_golden_call_is_json() -> None:
    for answer in GOLDEN.values():
        assert not answer.startswith("[") or isinstance(json.loads(answer), list)
