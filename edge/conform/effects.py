"""How fields show in an answer."""

from __future__ import annotations

import json
from typing import Any

from edge.conform.probe import Context, Effect
from edge.conform.server import Answer

HOT = {"temperature": 2.0}
SUFFIX = " and ring"


def fewer_tokens(context: Context, answer: Answer) -> Effect | None:
    used, before = answer.at("usage", "completion_tokens"), context.plain.at("usage", "completion_tokens")
    if not isinstance(used, int) or not isinstance(before, int) or before <= 3:
        return None
    return Effect(used <= 3, f"{used} tokens, {before} without it")


def same_as_greedy(context: Context, answer: Answer) -> Effect | None:
    """Sent with a high temperature, that it must undo."""
    if len({context.same(HOT | {"seed": seed}) for seed in range(4)}) == 1:
        return None  # the model is that sure: nothing can be told
    same = context.text(answer) == context.text(context.plain)
    return Effect(same, f"{'the' if same else 'not the'} most probable answer at temperature 2")


def seeds_matter(context: Context, answer: Answer) -> Effect | None:
    texts = [context.same(HOT | {"seed": 11}) for _ in range(3)]
    others = {context.same(HOT | {"seed": seed}) for seed in range(4)}
    if len(others) == 1:
        return None
    same = len(set(texts)) == 1
    told = "the same answer three times" if same else f"{len(set(texts))} different answers in three"
    return Effect(same, f"{told} to one seed, {len(others)} to four seeds")


def heat_matters(context: Context, answer: Answer) -> Effect | None:
    texts = {context.same(HOT | {"seed": seed}) for seed in range(6)}
    return Effect(True, f"{len(texts)} different answers to six requests at 2") if len(texts) > 1 else None


def stops_there(context: Context, answer: Answer) -> Effect | None:
    plain, stop = context.text(context.plain), stop_text(context)
    if not stop:
        return None
    text = context.text(answer)
    return Effect(stop not in text and plain.startswith(text), f"{text!r:.60} instead of {plain!r:.60}")


def stop_text(context: Context) -> str:
    """A piece of the plain answer."""
    plain = context.text(context.plain)
    return plain[len(plain) // 2 : len(plain) // 2 + 3]


def text_changes(context: Context, answer: Answer) -> Effect | None:
    changed = context.text(answer) != context.text(context.plain)
    return Effect(changed, "another answer" if changed else "the same answer")


def suffix_matters(context: Context, answer: Answer) -> Effect | None:
    """What leads up to it is another answer, not the same with the suffix behind it."""
    text, plain, suffix = context.text(answer), context.text(context.plain), SUFFIX
    if text == plain + suffix:
        return Effect(False, "the same answer, with the suffix put behind it")
    return text_changes(context, answer)


def text_may_change(context: Context, answer: Answer) -> Effect | None:
    """A model may be sure enough to answer the same."""
    return Effect(True, "another answer") if context.text(answer) != context.text(context.plain) else None


def has_choices(number: int) -> Any:
    def effect(context: Context, answer: Answer) -> Effect:
        count = len(answer.at("choices") or ())
        return Effect(count == number, f"{count} choices")

    return effect


def has(*path: str | int) -> Any:
    """Something lies at this path."""

    def effect(context: Context, answer: Answer) -> Effect:
        name = ".".join(map(str, path))
        value = answer.at(*path)
        return Effect(bool(value), f"{name} is there" if value else f"no {name}")

    return effect


def equals(value: object, *path: str | int) -> Any:
    def effect(context: Context, answer: Answer) -> Effect:
        found = answer.at(*path)
        return Effect(found == value, f"{'.'.join(map(str, path))} is {found!r:.60}")

    return effect


def top_of(number: int, *path: str | int) -> Any:
    def effect(context: Context, answer: Answer) -> Effect:
        count = len(answer.at(*path) or ())
        return Effect(count == number, f"{count} values, {number} were asked for")

    return effect


def prompt_grows(context: Context, answer: Answer) -> Effect | None:
    before, after = context.plain.at("usage", "prompt_tokens"), answer.at("usage", "prompt_tokens")
    if before is None or after is None:
        return None
    return Effect(after != before, f"{after} tokens of prompt, {before} without it")


def is_stream(context: Context, answer: Answer) -> Effect:
    same = context.text(answer) == context.text(context.plain)
    return Effect(
        len(answer.events) > 1 and same, f"{len(answer.events)} chunks, {'the same' if same else 'another'} text"
    )


def last_chunk_has_usage(context: Context, answer: Answer) -> Effect:
    usage = bool(answer.events) and Answer(200, "", answer.events[-1]).at("usage")
    return Effect(bool(usage), "usage in the last chunk" if usage else "no usage in the last chunk")


def is_json_with(name: str) -> Any:
    def effect(context: Context, answer: Answer) -> Effect:
        text = context.text(answer)
        try:
            good = name in json.loads(text)
        except (ValueError, TypeError):
            good = False
        return Effect(good, f"{text!r:.60}")

    return effect


def is_json_object(context: Context, answer: Answer) -> Effect:
    """Or the beginning of one that was cut off."""
    text = context.text(answer)
    try:
        good = isinstance(json.loads(text), dict)
    except ValueError:
        good = text.lstrip().startswith("{") and answer.at("choices", 0, "finish_reason") == "length"
    return Effect(good, f"{text!r:.60}")


def no_call(context: Context, answer: Answer) -> Effect:
    calls = answer.at("choices", 0, "message", "tool_calls")
    return Effect(not calls, "no call" if not calls else "a call all the same")


def calls(name: str) -> Any:
    def effect(context: Context, answer: Answer) -> Effect:
        called = answer.at("choices", 0, "message", "tool_calls", 0, "function", "name")
        return Effect(called == name, f"calls {called!r:.40}")

    return effect


def kept(context: Context, answer: Answer) -> Effect:
    found = context.server.get(f"{context.path}/{answer.at('id')}")
    return Effect(found.ok, "can be read again" if found.ok else f"{found.status} when it is read again")


def begins_with_prompt(context: Context, answer: Answer) -> Effect:
    text = context.text(answer)
    return Effect(text.startswith(str(context.body["prompt"])), f"{text!r:.60}")


def is_text(*path: str | int) -> Any:
    def effect(context: Context, answer: Answer) -> Effect:
        return Effect(isinstance(answer.at(*path), str), f"{'.'.join(map(str, path))} is {answer.at(*path)!r:.40}")

    return effect
