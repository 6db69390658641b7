"""What the bundled model says, as fixed text: the same on every machine, level and number of threads.

A change of these texts without a new model file is a bug. After a new model `PYTHONPATH=. python tests/test_golden.py`
writes them anew to golden.json: read them before you commit them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.native import isa_supported
from edge.references import resolve

GOLDEN = Path(__file__).with_name("golden.json")
_GOLDEN: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
CHAT: dict[str, str] = _GOLDEN["chat"]  # answer by request, greedy
SAMPLED: list[dict[str, Any]] = _GOLDEN["sampled"]  # options of a sampled answer to SAMPLED_REQUEST, and its text
SAMPLED_REQUEST = "what is the answer to everything"
LENGTH, SAMPLED_LENGTH = 200, 40  # tokens


def test_the_texts_belong_to_this_model() -> None:
    assert hashlib.sha256(resolve(None).read_bytes()).hexdigest() == _GOLDEN["sha256"]
    assert len(CHAT) == 20


@pytest.mark.parametrize("isa", isa_supported())
@pytest.mark.parametrize("threads", [1, 2])
def test_greedy(isa: str, threads: int) -> None:
    with edge.load(isa=isa, threads=threads) as model:
        for question, answer in CHAT.items():
            completion = model.chat(question, max_tokens=LENGTH)
            assert completion.text == answer
            assert completion.finish_reason == "stop"


@pytest.mark.parametrize("isa", isa_supported())
def test_sampled(isa: str) -> None:
    with edge.load(isa=isa, chunk=3) as model:
        for entry in SAMPLED:
            assert (
                model.chat(SAMPLED_REQUEST, seed=7, max_tokens=SAMPLED_LENGTH, **entry["options"]).text == entry["text"]
            )


def test_all_at_once() -> None:
    """Batched with others, everybody's answer is the golden one."""
    with edge.load(sequences=len(CHAT)) as model:
        streams = {question: model.stream_chat(question, max_tokens=LENGTH) for question in CHAT}
        assert {question: stream.completion().text for question, stream in streams.items()} == CHAT


def _write_texts() -> None:
    with edge.load() as model:
        golden = {
            "sha256": hashlib.sha256(resolve(None).read_bytes()).hexdigest(),
            "chat": {question: model.chat(question, max_tokens=LENGTH).text for question in CHAT},
            "sampled": [
                {
                    **entry,
                    "text": model.chat(SAMPLED_REQUEST, seed=7, max_tokens=SAMPLED_LENGTH, **entry["options"]).text,
                }
                for entry in SAMPLED
            ],
        }
    GOLDEN.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write_texts()
