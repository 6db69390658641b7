"""Checks the vocabulary of a model file as a whole, before a tokenizer is built from it."""

from __future__ import annotations

import math

from edge.errors import BadModelFile
from edge.formats.cursor import quoted
from edge.formats.gguf import GGUFFile

__all__ = ["check_vocabulary"]

MAX_TOKENS = 2**24
_HIGHEST_TYPE = 6  # 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte; 0 undefined


def check_vocabulary(file: GGUFFile) -> list[str]:
    """The tokens of `file`, in order of their ids, after these checks.

    There is at least one; each is UTF-8; none occurs twice (empty ones may: some converters write them for unused
    ids); scores and types have one element per token, no score is NaN, every type exists; special tokens are in the
    vocabulary. Raises BadModelFile naming key, value and limit.
    """
    key = "tokenizer.ggml.tokens"
    array = file.get_strings(key)
    if not 1 <= len(array) <= MAX_TOKENS:
        raise BadModelFile(file.path, f"{file.location(key)} has {len(array)} tokens, allowed are 1 to {MAX_TOKENS}")
    tokens = list(array)
    if len(set(tokens)) != len(tokens):
        _refuse_duplicates(file, key, tokens)
    _check_scores(file, len(tokens))
    _check_types(file, len(tokens))
    for name in file.keys():
        if name.startswith("tokenizer.ggml.") and name.endswith("_token_id"):
            file.get_int(name, minimum=0, maximum=len(tokens) - 1)
    return tokens


def _refuse_duplicates(file: GGUFFile, key: str, tokens: list[str]) -> None:
    first: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if token and first.setdefault(token, index) != index:
            raise BadModelFile(
                file.path,
                f"{file.location(key)}: token {index} is {quoted(token)}, and so is token {first[token]}",
            )


def _check_scores(file: GGUFFile, num_tokens: int) -> None:
    key = "tokenizer.ggml.scores"
    if not file.has(key):
        return
    scores = file.get_floats(key)
    _check_length(file, key, len(scores), num_tokens)
    # The sum is NaN if a score is, or if infinities of both signs are there; then look closer.
    if math.isnan(sum(scores)):
        for index, score in enumerate(scores):
            if math.isnan(score):
                raise BadModelFile(file.path, f"{file.location(key)}: score {index} is nan, it must be a number")


def _check_types(file: GGUFFile, num_tokens: int) -> None:
    key = "tokenizer.ggml.token_type"
    if not file.has(key):
        return
    types = file.get_ints(key)
    _check_length(file, key, len(types), num_tokens)
    if min(types) < 0 or max(types) > _HIGHEST_TYPE:
        index, value = next((i, v) for i, v in enumerate(types) if not 0 <= v <= _HIGHEST_TYPE)
        raise BadModelFile(
            file.path, f"{file.location(key)}: type of token {index} is {value}, allowed are 0 to {_HIGHEST_TYPE}"
        )


def _check_length(file: GGUFFile, key: str, length: int, num_tokens: int) -> None:
    if length != num_tokens:
        raise BadModelFile(
            file.path, f"{file.location(key)} has {length} elements, 'tokenizer.ggml.tokens' has {num_tokens}"
        )
