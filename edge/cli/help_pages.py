"""Examples and exit codes of every command, at the end of its --help."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["GROUPS", "ROOT_PAGE", "page_of"]

# Headings of `edge --help`, and the commands under them.
GROUPS = {
    "Talk with a model": ("run", "chat", "assistant", "serve", "embed", "sessions", "cache"),
    "Get models": ("pull", "ls", "rm", "show", "plan"),
    "Make models": ("export", "quantize", "imatrix", "eval"),
    "Measure": ("bench", "verify", "doctor", "conform"),
    "Set up": ("completion",),
}

_CODES = {
    0: "done",
    1: "failed",
    2: "wrong usage: an option, a name or a request that cannot be honoured",
    3: "does not fit: memory, disk or context; the message says what would",
    4: "a model or session file that is damaged, missing or not supported",
    130: "interrupted",
}

ROOT_PAGE = """\
\b
Examples:
  edge run "turn on the kitchen light"     the bundled model, offline
  edge pull Qwen/Qwen3-0.6B-GGUF           says first whether it fits
  edge chat Qwen/Qwen3-0.6B-GGUF           a conversation with it
  edge serve model.gguf                    an OpenAI-compatible server

\b
Exit codes:
""" + "\n".join(f"  {code:<4} {meaning}" for code, meaning in _CODES.items())


class _Page(NamedTuple):
    examples: tuple[tuple[str, str], ...]
    codes: dict[int, str] = {}  # where they mean more than in _CODES


_PAGES = {
    "run": _Page((
        ('edge run "turn on the kitchen light"', "the bundled model"),
        ('edge run model.gguf "Why is the sky blue?" --max-tokens 80', ""),
        ("edge run model.gguf - < question.txt", "the prompt from a file or pipe"),
        ('edge run model.gguf "a city in Peru" --schema city.json --json', ""),
        ("edge run model.gguf", "a chat, on a terminal"),
    )),
    "chat": _Page((
        ("edge chat", "the bundled model"),
        ("edge chat model.gguf --session notes", "goes on where it stopped"),
        ('edge chat model.gguf --system "Answer in one line." --temperature 0.7', ""),
    )),
    "embed": _Page((
        ('edge embed minilm.gguf "a text" "another"', "a line of JSON for each"),
        ("edge embed minilm.gguf --base64 - < lines.txt", "a text on every line"),
    )),
    "serve": _Page((
        ("edge serve", "http://127.0.0.1:8080/v1, the bundled model"),
        ("edge serve model.gguf --sequences 8 --memory 2GiB", ""),
        ("EDGE_API_KEY=... edge serve model.gguf --host 0.0.0.0 --allow-host pi.local", ""),
        ("edge serve model.gguf --print-service > ~/.config/systemd/user/edge.service", ""),
    )),
    "assistant": _Page((
        ("edge assistant", "a page on 127.0.0.1; the address is printed"),
        ("edge assistant --terminal --allow set_timer", ""),
        ("edge assistant --model model.gguf --workspace ~/notes --memory 2GiB", ""),
    )),
    "conform": _Page((
        ("edge conform http://127.0.0.1:8080", ""),
        ("edge conform http://127.0.0.1:11434 --model llama3.2 --json", ""),
    ), {1: "a field is silently ignored, or makes the server fail"}),
    "sessions": _Page((
        ("edge sessions", "a list"),
        ("edge sessions show notes", "what was said"),
        ("edge sessions verify", "reads and checks every byte of all"),
        ("edge sessions rm notes", ""),
    )),
    "cache": _Page((
        ("edge cache model.gguf --prompt-file system.txt --tools tools.json", ""),
    )),
    "plan": _Page((
        ("edge plan model.gguf --memory 1.5GiB --context 8192", ""),
        ("edge plan model.gguf --device raspberry-pi-5", "a machine that you do not have"),
        ("edge plan Qwen/Qwen3-0.6B-GGUF:Q8_0", "before it is downloaded"),
        ("edge plan model.gguf --json | jq .plan.total_bytes", ""),
    ), {3: "it does not fit; the lines say what would"}),
    "pull": _Page((
        ("edge pull Qwen/Qwen3-0.6B-GGUF", ""),
        ("edge pull hf.co/Qwen/Qwen3-0.6B-GGUF:Q8_0 --memory 1.5GiB", ""),
        ("edge pull https://example.com/models/tiny-Q4_0.gguf", ""),
    ), {1: "the network, the hub or the disk failed, or the sum is wrong",
        3: "it would not fit in memory, or on the disk: nothing was downloaded",
        130: "stopped by Ctrl-C; what came is kept, the same command goes on"}),
    "ls": _Page((
        ("edge ls", ""),
        ("edge ls --json | jq -r '.models[].path'", ""),
    )),
    "rm": _Page((
        ("edge rm Qwen/Qwen3-0.6B-GGUF:Q8_0", ""),
    )),
    "show": _Page((
        ("edge show model.gguf", ""),
        ("edge show Qwen/Qwen3-0.6B-GGUF:Q8_0", "before it is downloaded"),
        ("edge show model.gguf --json | jq .metadata", "every key of the file"),
    )),
    "eval": _Page((
        ("edge eval small.gguf --against original.gguf", ""),
        ("edge eval small.gguf --against original.gguf --record", "and writes it into the file"),
        ("edge eval model.gguf --text book.txt --tokens 50000", ""),
    )),
    "quantize": _Page((
        ("edge quantize model-f16.gguf model.gguf Q4_K_M --calibration text.txt", ""),
        ("edge quantize model-f16.gguf model.gguf --size 700MB", "a type for each matrix"),
    ), {130: "stopped by Ctrl-C; nothing is left, or the whole file, as a line says"}),
    "export": _Page((
        ("edge export Qwen3-0.6B/ --quant Q8_0", "a folder of a hub"),
        ("edge export model.gguf --to packed", "so that the first load is fast too"),
        ("edge export model.gguf --to onnx", "a folder for ONNX Runtime"),
        ("edge export model.gguf --to npu --device snapdragon-8-gen-3", "graphs for an NPU"),
        ("edge export my-lora/ --base Llama-3.2-1B/", "an adapter"),
    )),
    "imatrix": _Page((
        ("edge imatrix model-f16.gguf -o model.imatrix.gguf", ""),
    )),
    "bench": _Page((
        ("edge bench model.gguf --threads 1,2", ""),
        ("edge bench model.gguf --batch 2,4,8 --json --output bench.json", ""),
    )),
    "verify": _Page((
        ("edge verify model.gguf", "edge's own engine and llama.cpp"),
        ("edge verify model.gguf --record run.json", "on a machine that is trusted"),
        ("edge verify model.gguf --reference run.json", "is this one like it?"),
    ), {1: "they disagree by more than rounding"}),
    "doctor": _Page((
        ("edge doctor", "what would be used, and why"),
        ("edge doctor --save", "measures it; later runs choose by that"),
    )),
    "completion": _Page((
        ('eval "$(edge completion bash)"', "for this shell; in ~/.bashrc for all"),
    )),
}  # fmt: skip


def page_of(name: str) -> str:
    """The end of `edge NAME --help`, in paragraphs that click does not wrap."""
    page = _PAGES.get(name, _Page(()))  # a test wants one for every command
    width = max((len(line) for line, note in page.examples if note), default=0)
    codes = {0: _CODES[0], **{code: page.codes.get(code, _CODES[code]) for code in (1, 2, 3, 4, 130)}}
    examples = [f"  {line:<{width}}  {note}".rstrip() for line, note in page.examples]
    return "\n".join([
        *(["\b", "Examples:", *examples, ""] if examples else []),
        "\b", "Exit codes:", *(f"  {code:<4} {meaning}" for code, meaning in codes.items()), "",
        "An option is also taken from the environment: --max-tokens from EDGE_MAX_TOKENS.",
    ])  # fmt: skip
