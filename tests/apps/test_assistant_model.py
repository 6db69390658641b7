"""The shipped model: what its file says, that its vocabulary is read as it was trained, and how well it answers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from itertools import islice
from pathlib import Path

import pytest

import edge
from apps.assistant_model.chat_template import CHAT_TEMPLATE
from apps.assistant_model.courses import TRAIN_SEED, training_groups
from apps.assistant_model.data import EVAL_SEED, KINDS, EvalKind, evaluation_groups
from apps.assistant_model.evaluate import fixed_sample, score_model
from apps.assistant_model.tokenizer_bpe import END, END_OF_TEXT, SCAFFOLD, prefix_text, question_text
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.types import GGMLType
from edge.tokenizer import Tokenizer

FLOOR = 0.02  # how far below the file's own figure its sample may be
INVALID = 0.02  # of the answers at most, no JSON


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
    assert path.stat().st_size <= 6_000_000
    assert file.get_str("general.license") == "apache-2.0"
    assert file.get_int("edge.training.data_seed") == TRAIN_SEED
    assert file.get_int("edge.evaluation.seed") == EVAL_SEED
    assert file.get_int("edge.training.steps") > 100
    card = file.get_str("general.description")
    for kind in KINDS:
        share = file.get_float(f"edge.evaluation.Q8_0.{kind}")
        assert 0.2 < share <= 1.0
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
    trained.add_special_tokens([*SPECIAL, *SCAFFOLD])  # pyright: ignore[reportUnknownMemberType]
    return [encoding.ids for encoding in trained.encode_batch(texts)]


def test_the_vocabulary_reads_as_it_was_trained(file: GGUFFile, tokenizer: Tokenizer) -> None:
    groups = [*islice(training_groups(9, 100_000), 30), *evaluation_groups("new_values", 300)]
    groups += evaluation_groups("renamed", 300)
    turns = [turn for group in groups for example in group.examples for turn in example]
    texts = [question_text(turn.request) + turn.answer + END for turn in turns]
    texts += [prefix_text(group.tools.text) for group in groups]
    texts.append(question_text("Grüße, 12 °C – naïve 日本 🙂\n\tx"))
    for text, wanted in zip(texts, encode_as_trained(file, texts), strict=True):
        ids = tokenizer.encode(text, parse_special=True)
        assert ids == wanted, text
        assert tokenizer.decode(ids, skip_special=False) == text
    assert [tokenizer.token_text(i) for i in sorted(tokenizer.eog_ids)] == [END_OF_TEXT, END]


def test_no_merge_joins_a_word_to_anything_else(file: GGUFFile) -> None:
    tokens = list(file.get_strings("tokenizer.ggml.tokens"))
    assert set(SCAFFOLD) < set(tokens)
    for token in set(tokens) - set(SCAFFOLD):
        ascii_letters = [letter for letter in token if letter.isascii() and letter.isalpha()]
        assert not ascii_letters or token.isalpha() and "Ġ" not in token or token.startswith("<|"), token


def test_the_chat_template_is_the_one_trained_with(file: GGUFFile) -> None:
    assert file.get_str("tokenizer.chat_template") == CHAT_TEMPLATE


@pytest.fixture(scope="module")
def model(path: Path) -> Iterator[edge.Model]:
    with edge.load(path) as loaded:
        yield loaded


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_as_well_as_the_card_says(model: edge.Model, file: GGUFFile, kind: EvalKind) -> None:
    score = score_model(model, fixed_sample(evaluation_groups(kind, 1000)))
    assert score.exact_match >= file.get_float(f"edge.evaluation.Q8_0.sample.{kind}") - FLOOR, score.confusions()
    assert score.invalid_json <= INVALID


def test_llama_cpp_reads_the_same_prompt(path: Path, model: edge.Model) -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    peer = llama_cpp.Llama(str(path), n_ctx=1024, n_threads=1, verbose=False)
    same = 0
    group = evaluation_groups("new_values", 12)[0]
    for example in group.examples:
        prompt = prefix_text(group.tools.text) + question_text(example[-1].request)
        ids = peer.tokenize(prompt.encode(), add_bos=False, special=True)
        assert ids == model.tokenizer.encode(prompt, parse_special=True)
        result = peer.create_completion(ids, max_tokens=200, temperature=0.0, seed=1)
        same += result["choices"][0]["text"] == model.chat(example[-1].request, max_tokens=200).text
    assert same >= len(group.examples) - 1  # it rounds activations elsewhere: a near tie may fall the other way
