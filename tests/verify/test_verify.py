"""Comparing backends, and judging a run by a recorded one: equal is equal, rounding is told from a wrong result."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import BadModelFile, RequestError
from edge.formats.types import GGMLType
from edge.loading import load
from edge.verify import MEAN_MARGIN, Observation, Recorded, compare, judge, read_recorded, record, write_recorded
from edge.verify.forced import Forced, gumbel
from edge.verify.observe import TEXTS
from tests.conftest import WriteModel
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf

VOCAB, POSITIONS = 100, 60


def observation(**changes: Any) -> Observation:
    logits = np.random.default_rng(1).normal(0, 3, (POSITIONS, VOCAB)).astype(np.float32)
    ids = tuple((number, 5, 6) for number in range(len(TEXTS)))
    values: dict[str, Any] = {
        "backend": "native/scalar", "path": "/m/x.gguf", "vocab_size": VOCAB, "token_ids": None, "own_token_ids": ids,
        "prompt": None, "own_prompt": "<user>hi", "prompt_note": None, "text": tuple(range(POSITIONS)),
        "logits": logits, "greedy": (1, 2, 3), "greedy_texts": ("a", "b", "c"), "prefill_tok_s": 10.0,
        "decode_tok_s": 5.0,
    }  # fmt: skip
    return Observation(**values | changes)


def noisy(error: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    noise = np.random.default_rng(2).normal(0, error, (POSITIONS, VOCAB))
    return (observation().logits + noise + 7.0).astype(np.float32)  # a constant changes no probability


def test_equal_logits_agree_whatever_they_have_in_common() -> None:
    found = compare(observation(), observation(logits=noisy(0.0)))
    assert found.agrees and found.mean_kld < 1e-9 and found.top1 == 1.0 and found.logit_error < 1e-5
    assert (found.greedy_equal, found.num_greedy) == (3, 3)


def test_rounding_agrees_and_is_measured() -> None:
    found = compare(observation(), observation(logits=noisy(0.02)))
    assert found.agrees and found.logit_error == pytest.approx(0.02, rel=0.1) and 0 < found.mean_kld < 1e-3
    assert found.qualifying >= 0.9


def test_other_probabilities_disagree() -> None:
    found = compare(observation(), observation(logits=noisy(1.0)))
    assert not found.agrees
    assert any(reason.startswith("mean KL divergence ") for reason in found.disagreements)
    assert any("of positions certain, at least 50% must be" in reason for reason in found.disagreements)


def test_one_wrong_token_where_the_lead_is_large_disagrees() -> None:
    logits = noisy(0.005)
    lead = np.sort(logits, axis=1)[:, -1] - np.sort(logits, axis=1)[:, -2]
    place = int(lead.argsort()[POSITIONS // 2])
    best, second = np.argsort(-logits[place])[:2]
    logits[place, [best, second]] = logits[place, [second, best]]
    found = compare(observation(), observation(logits=logits))
    assert any(reason.startswith(f"position {place}: another best token") for reason in found.disagreements)


def test_other_tokens_and_prompts_disagree_and_say_where() -> None:
    ids = observation().own_token_ids
    theirs = (ids[0], (1, 5, 7), *ids[2:])
    found = compare(observation(), observation(backend="llama/1", token_ids=theirs, prompt="<user>ho"))
    assert found.token_ids == (len(TEXTS) - 1, len(TEXTS)) and found.prompt is False
    assert "from token 2 on: (7,) instead of (6,)" in found.disagreements[0]
    assert "from character 7 on: 'o' instead of 'i'" in found.disagreements[1]


def test_what_is_not_one_model_is_refused() -> None:
    with pytest.raises(RequestError, match="has 99 tokens, /m/x.gguf has 100: they are not one model"):
        compare(observation(), observation(logits=observation().logits[:, :99]))
    with pytest.raises(RequestError, match="read the text differently"):
        compare(observation(), observation(text=(5,)))


def test_gumbel_numbers_are_those_of_the_seed_and_sample_the_softmax() -> None:
    assert np.array_equal(gumbel(1, 2, 10), gumbel(1, 2, 20)[:10])
    assert gumbel(1, 2, 3) == pytest.approx(gumbel(1, 2, 3)) and gumbel(1, 3, 1) != gumbel(1, 2, 1)
    logits = np.array([0.0, 1.0, 2.0])
    picks = [int((logits + gumbel(7, position, 3)).argmax()) for position in range(4000)]
    wanted = np.exp(logits) / np.exp(logits).sum()
    assert np.bincount(picks) / 4000 == pytest.approx(wanted, abs=0.03)


def test_a_run_is_itself_bit_for_bit(tmp_path: Path, tiny_model: Path) -> None:
    with load(tiny_model, threads=1) as model:
        run = record(model)
        assert len(run.tokens) == len(run.top_ids) == 64 and run.top_ids[0][0] == int(np.argmax(model_row(run)))
    write_recorded(tmp_path / "run.json", run)
    again = read_recorded(tmp_path / "run.json")
    assert again == run
    with load(tiny_model, threads=2, isa="scalar") as model:
        found = judge(model, again)
    assert found.exact and found.agrees and found.num_equal == 64 and found.first is None and found.mean_margin == 0


def model_row(run: Recorded) -> np.ndarray[Any, np.dtype[np.float64]]:
    row = np.full(run.vocab_size, -np.inf)
    row[list(run.top_ids[0])] = run.top_logprobs[0]
    return row


def test_fewer_bits_are_told_with_the_token_and_the_margin(tmp_path: Path, write_model: WriteModel) -> None:
    with load(write_model(tmp_path / "q8.gguf")) as model:
        run = record(model)
    with load(write_model(tmp_path / "q4.gguf", kind=GGMLType.Q4_0)) as model:
        found = judge(model, run)
    assert not found.agrees and not found.exact and found.mean_margin > 2 * MEAN_MARGIN
    assert found.first is not None and (found.margin or 0) > 0 and found.chosen != found.recorded
    with load(write_model(tmp_path / "q8.gguf"), kv_type="q8") as model:
        rounded = judge(model, run)
    assert rounded.agrees and not rounded.exact


def test_a_run_of_another_vocabulary_or_a_longer_context_is_refused(tiny_model: Path) -> None:
    with load(tiny_model) as model:
        run = record(model)
        with pytest.raises(RequestError, match="has 259 tokens, the model of the recorded run 300"):
            judge(model, dataclasses.replace(run, vocab_size=300))
    with load(tiny_model, context=64) as model, pytest.raises(RequestError, match="do not fit in a context of 64"):
        judge(model, run)


def test_forced_rows_are_the_same_in_any_portions(tiny_model: Path) -> None:
    tokens = list(range(40))
    with load(tiny_model, sequences=8, chunk=16) as model:
        together = Forced(model.step_backend).feed(tokens, all_logits=True)
        forced = Forced(model.step_backend)
        alone = [forced.feed([token], all_logits=False)[-1] for token in tokens]
        last = Forced(model.step_backend).feed(tokens, all_logits=False)
    assert np.array_equal(together, np.stack(alone)) and np.array_equal(last[-1], together[-1]) and len(last) == 1


GOOD: dict[str, Any] = {
    "format": "edge-verify-run", "version": 1, "backend": "native/avx2", "model": "x.gguf", "vocab_size": 9, "seed": 1,
    "temperature": 0.7, "prompt": [1, 2], "tokens": [3, 4], "top_ids": [[3, 1], [4, 2]],
    "top_logprobs": [[-0.1, -2.0], [-0.2, -3]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "is no edge-verify-run of version 1"),
        ({"version": 2}, "is no edge-verify-run of version 1"),
        ({"vocab_size": 10**9}, "vocab_size is 1000000000; it must be a whole number from 2 to 16777216"),
        ({"vocab_size": True}, "vocab_size is True"),
        ({"seed": -1}, "seed is -1"),
        ({"backend": 5}, "backend must be a text"),
        ({"temperature": float("nan")}, "temperature must hold finite numbers"),
        ({"temperature": -1}, "temperature is -1.0; it must be from 0 to 100"),
        ({"prompt": []}, "prompt must be a list of token ids from 0 to 8, not empty"),
        ({"tokens": [9]}, "tokens must be a list of token ids from 0 to 8"),
        ({"tokens": [1.0]}, "tokens must be a list of token ids"),
        ({"top_ids": [[3, 1]]}, "top_ids must be a list of 2, an entry for each token"),
        ({"top_ids": [[3], [4]]}, "must have one length at every position"),
        ({"top_logprobs": [[-0.1, "x"], [-0.2, -3]]}, "top_logprobs must hold finite numbers"),
    ],
)
def test_bad_runs_are_refused_by_field(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(GOOD))
    assert read_recorded(path).tokens == (3, 4)
    path.write_text(json.dumps(GOOD | change))
    with pytest.raises(BadModelFile, match=message):
        read_recorded(path)


@pytest.mark.parametrize("text", ["[" * 10**5, "{"])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(BadModelFile, match="is no JSON"):
        read_recorded(tmp_path / "run.json")
    with pytest.raises(RequestError, match="no such file|No such file"):
        read_recorded(tmp_path / "missing.json")


def test_forced_rows_behind_a_window_are_the_engines(tmp_path: Path) -> None:
    changes = {"sliding_window": 40, "max_position_embeddings": 512, "num_hidden_layers": 4}
    config = tiny_config("gemma3", **changes)
    write_gguf(tmp_path / "m.gguf", config, random_tensors(tensor_shapes(config), seed=4), template="x")
    prompt = [(37 * i * i + 5 * i + 11) % 90 + 3 for i in range(200)]
    with load(tmp_path / "m.gguf", context=512, chunk=32, threads=1) as model:
        answer = model.generate(prompt, max_tokens=12, logit_bias={0: -1e4}).tokens
        forced = Forced(model.step_backend)
        rows = [forced.feed(prompt, all_logits=False)[-1]]
        rows += [forced.feed([token], all_logits=False)[-1] for token in answer[:-1]]
    assert tuple(1 + int(row[1:].argmax()) for row in rows) == answer
