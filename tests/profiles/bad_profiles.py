"""Profiles that must be refused, and what the message must say."""

from __future__ import annotations

from dataclasses import dataclass

from edge.profiles.reader import MAX_BYTES, MAX_DOTS

DEVICE = 'format = 1\n[device]\nname = "d"\nkind = "board"\nmachine = "aarch64"\n'
SOURCED = 'measured = false\nsource = "https://example.org/page"\n'


@dataclass(frozen=True, slots=True)
class BadProfileFile:
    name: str
    content: bytes
    expected: tuple[str, ...]


def _read(lines: str, before: str = "") -> str:
    return f"{DEVICE}{before}[[reads]]\n{lines}"


def _memory(lines: str) -> str:
    return f"{DEVICE}[memory]\n{lines}"


_CORES = f'[[cores]]\nname = "big"\ncount = 4\nthreads_per_core = 2\n{SOURCED}'


def _model(matrix: str = "2 x Q4_0 64 x 64", head: str = "Q6_K 64 x 64") -> str:
    sizes = "layers = 2\nhidden_size = 64\nheads = 2\nkv_heads = 1\nhead_dim = 32\n"
    return f'{DEVICE}[[models]]\nname = "m"\n{sizes}matrices = ["{matrix}"]\nhead = "{head}"\n'


def _cache(before: str = "") -> str:
    return f"{DEVICE}{before}[[caches]]\nnum_bytes = 1024\nthreads = 1\ngb_s = 1\n{SOURCED}"


_TEXTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # the file as a whole
    ("empty", "", ("has no format, it must be 1",)),
    ("no-format", DEVICE.replace("format = 1\n", ""), ("has no format",)),
    ("format-2", DEVICE.replace("1", "2", 1), ("format is 2, it must be 1",)),
    ("format-true", DEVICE.replace("1", "true", 1), ("format is True, it must be 1",)),
    ("format-float", DEVICE.replace("1", "1.0", 1), ("format is 1.0, it must be 1",)),
    ("no-device", "format = 1\n", ("has no [device]",)),
    ("not-toml", "format = \n", ("is not TOML", "line 1")),
    ("json", '{"format": 1}', ("is not TOML",)),
    ("twice", DEVICE + "[device]\n", ("is not TOML",)),
    ("unknown-table", DEVICE + "[gpu]\n", ("has an unknown key 'gpu', known are format, device,",)),
    ("unknown-table-long", DEVICE + f"[{'g' * 5000}]\n", ("has an unknown key 'gggg", "...")),
    ("device-number", "format = 1\ndevice = 3\n", ("device is 3, it must be a table, [device]",)),
    ("device-array", "format = 1\n[[device]]\n", ("device is an array, it must be a table",)),
    ("reads-table", DEVICE + "[reads]\n", ("reads is a table, it must be an array of tables, [[reads]]",)),
    ("reads-numbers", DEVICE.replace("\n", "\nreads = [1, 2]\n", 1), ("reads is an array, it must be an array of",)),
    # keys
    ("unknown-key", _read("thread = 1\n"), ("reads[0] has an unknown key 'thread', known are threads,",)),
    ("missing-key", _read(f"threads = 1\n{SOURCED}"), ("reads[0] has no gb_s",)),
    ("missing-name", DEVICE.replace('name = "d"\n', ""), ("device has no name",)),
    ("evidence-table", _read("threads = 1\ngb_s = 1\n[reads.evidence]\n"), ("reads[0] has an unknown key 'evidence'",)),
    ("device-measured", DEVICE + "measured = true\n", ("device has an unknown key 'measured'",)),
    # evidence
    ("no-measured", _read("threads = 1\ngb_s = 1\n"), ("reads[0] has no measured",)),
    ("no-source", _read("threads = 1\ngb_s = 1\nmeasured = false\n"), ("reads[0].measured is false, so source",)),
    ("no-method", _read("threads = 1\ngb_s = 1\nmeasured = true\n"), ("reads[0].measured is true, so method",)),
    (
        "measured-text",
        _read('threads = 1\ngb_s = 1\nmeasured = "no"\n'),
        ("measured is 'no', it must be true or false",),
    ),
    ("measured-0", _read("threads = 1\ngb_s = 1\nmeasured = 0\n"), ("measured is 0, it must be true or false",)),
    ("source-http", _memory('type = "t"\n' + SOURCED.replace("https", "http")), ("source is 'http://", "https://")),
    ("source-file", _memory('type = "t"\nmeasured = false\nsource = "file:///x"\n'), ("source is 'file:///x'",)),
    ("source-no-host", _memory('type = "t"\nmeasured = false\nsource = "https://x"\n'), ("source is 'https://x'",)),
    ("source-space", _memory('type = "t"\nmeasured = false\nsource = "https://a.b/c d"\n'), ("source is",)),
    ("source-list", _memory('type = "t"\nmeasured = false\nsource = ["https://a.b"]\n'), ("source is an array",)),
    ("note-long", _memory(f'type = "t"\nnote = "{"n" * 601}"\n{SOURCED}'), ("memory.note is 'nnn", "1 to 600")),
    # values
    ("negative", _read(f"threads = 1\ngb_s = -3.5\n{SOURCED}"), ("reads[0].gb_s is -3.5, it must be a number over 0",)),
    ("zero", _read(f"threads = 1\ngb_s = 0\n{SOURCED}"), ("reads[0].gb_s is 0, it must be",)),
    ("nan", _read(f"threads = 1\ngb_s = nan\n{SOURCED}"), ("gb_s is nan, it must be",)),
    ("infinity", _read(f"threads = 1\ngb_s = inf\n{SOURCED}"), ("gb_s is inf, it must be",)),
    ("too-fast", _read(f"threads = 1\ngb_s = 1e6\n{SOURCED}"), ("gb_s is 1000000.0", "at most 100000")),
    ("speed-true", _read(f"threads = 1\ngb_s = true\n{SOURCED}"), ("gb_s is True, it must be",)),
    ("speed-text", _read(f'threads = 1\ngb_s = "9"\n{SOURCED}'), ("gb_s is '9', it must be",)),
    ("speed-date", _read(f"threads = 1\ngb_s = 2024-01-01\n{SOURCED}"), ("gb_s is a date, it must be",)),
    ("speed-table", _read(f"threads = 1\ngb_s = {{value = 1}}\n{SOURCED}"), ("gb_s is a table, it must be",)),
    ("threads-0", _read(f"threads = 0\ngb_s = 1\n{SOURCED}"), ("threads is 0, it must be a whole number from 1 to",)),
    ("threads-float", _read(f"threads = 1.0\ngb_s = 1\n{SOURCED}"), ("threads is 1.0, it must be a whole number",)),
    ("huge-pages", _read(f"threads = 1\nhuge_pages = 1\ngb_s = 1\n{SOURCED}"), ("huge_pages is 1, it must be true",)),
    ("kind", DEVICE.replace("board", "toaster"), ("device.kind is 'toaster', it must be one of board, mini-pc",)),
    ("kind-list", DEVICE.replace('"board"', '["board"]'), ("device.kind is an array",)),
    ("name-empty", DEVICE.replace('"d"', '""'), ("device.name is '', it must be a line of 1 to 100 characters",)),
    ("name-space", DEVICE.replace('"d"', '" d"'), ("device.name is ' d'",)),
    ("name-line-feed", DEVICE.replace('"d"', r'"a\nb"'), (r"device.name is 'a\nb'",)),
    ("name-escape", DEVICE.replace('"d"', r'"\u001b[31m"'), (r"device.name is '\x1b[31m'",)),
    (
        "features-text",
        DEVICE + f'[isa]\nfeatures = "avx2"\n{SOURCED}',
        ("isa.features is 'avx2', it must be an array",),
    ),
    ("features-empty", DEVICE + f"[isa]\nfeatures = []\n{SOURCED}", ("isa.features is an array, it must be",)),
    ("features-upper", DEVICE + f'[isa]\nfeatures = ["AVX2"]\n{SOURCED}', ("isa.features",)),
    ("features-twice", DEVICE + f'[isa]\nfeatures = ["avx2", "avx2"]\n{SOURCED}', ("isa.features", "different")),
    ("features-tables", DEVICE + f"[isa]\nfeatures = [{{a = 1}}, [2]]\n{SOURCED}", ("isa.features",)),
    (
        "no-speed",
        DEVICE + f'[[references]]\nruntime = "r"\nmodel = "m"\n{SOURCED}',
        ("references[0].decode_tok_s is missing, and prefill_tok_s too",),
    ),
    ("matrix-text", _model("2 x Q4_0 64x64"), ("models[0].matrices is an array, it must be", "22 x Q4_0 2048 x 5632")),
    ("matrix-count", _model("0 x Q4_0 64 x 64"), ("models[0].matrices is an array",)),
    ("matrix-huge", _model("2 x Q4_0 64 x 9999999999"), ("models[0].matrices is an array",)),
    ("head", _model(head="2 x Q4_0 64 x 64"), ("models[0].head is '2 x Q4_0 64 x 64'", "a type, rows and columns")),
    ("model-layers", _model().replace("layers = 2", "layers = 0"), ("models[0].layers is 0, it must be a whole",)),
    ("model-source", _model() + SOURCED, ("models[0] has an unknown key 'measured'",)),
    ("cache-size", _cache().replace("1024", "1.5"), ("caches[0].num_bytes is 1.5, it must be a whole number",)),
    ("cache-proof", _cache().replace(SOURCED, ""), ("caches[0] has no measured",)),
    (
        "step-depth",
        DEVICE + f'[[steps]]\nmodel = "m"\ntokens = 1\nthreads = 1\ndepth = 0\nms = 1\n{SOURCED}',
        ("steps[0].depth is 0, it must be a whole number from 1",),
    ),
    # between tables
    (
        "same-cache",
        _cache() + _cache().removeprefix(DEVICE),
        ("caches[1] has the same num_bytes, threads as caches[0]",),
    ),
    ("same-model", _model() + _model().removeprefix(DEVICE), ("models[1] has the same name as models[0]",)),
    (
        "cache-threads",
        _cache(_CORES).replace("threads = 1", "threads = 9"),
        ("caches[0].threads is 9, these cores have",),
    ),
    (
        "over-peak",
        _read(f"threads = 1\ngb_s = 17.1\n{SOURCED}", f'[memory]\ntype = "t"\npeak_gb_s = 17\n{SOURCED}'),
        ("reads[0].gb_s is 17.1, over memory.peak_gb_s, 17",),
    ),
    (
        "same-read",
        _read(f"threads = 1\ngb_s = 1\n{SOURCED}[[reads]]\nthreads = 1\ngb_s = 2\n{SOURCED}"),
        ("reads[1] has the same threads, cores, huge_pages, residency as reads[0]",),
    ),
    ("same-cores", DEVICE + _CORES + _CORES, ("cores[1] has the same name as cores[0]",)),
    (
        "unknown-cores",
        _read(f'threads = 1\ncores = "little"\ngb_s = 1\n{SOURCED}', _CORES),
        ("reads[0].cores is 'little', which is the name of no [[cores]]",),
    ),
    (
        "more-threads",
        _read(f"threads = 9\ngb_s = 1\n{SOURCED}", _CORES),
        ("reads[0].threads is 9, these cores have 8",),
    ),
    # bombs
    ("nested-array", DEVICE + "x = " + "[" * 5000, ("is nested too deep",)),
    ("nested-lines", DEVICE + "x = " + "[\n" * 5000, ("is nested too deep",)),
    ("nested-inline", DEVICE + "x = " + "{a=" * 5000, ("is nested too deep",)),
    ("nested-closed", DEVICE + "x = " + "[" * 90 + "]" * 90, ("device has an unknown key 'x'",)),
    ("nested-value", _memory("type = " + "[" * 90 + "]" * 90 + f"\n{SOURCED}"), ("memory.type is an array",)),
    ("dotted-key", DEVICE + "a" + ".a" * 20_000 + " = 1\n", ("line 6 has 20000 dots, at most 24",)),
    ("dotted-table", DEVICE + "[a" + ".a" * 20_000 + "]\n", ("line 6 has 20000 dots, at most 24",)),
    ("long-integer", _read(f"threads = {'9' * 5000}\ngb_s = 1\n{SOURCED}"), ("has a number that is too long",)),
    ("long-hex", _read(f"threads = 0x{'f' * 5000}\ngb_s = 1\n{SOURCED}"), ("threads is an integer of 20000 bits",)),
    ("long-float", _read(f"threads = 1\ngb_s = 1e999\n{SOURCED}"), ("gb_s is inf",)),
    ("long-text", DEVICE.replace('"d"', '"' + "d" * 100_000 + '"'), ("device.name is 'ddd", "...")),
)


def bad_profiles() -> list[BadProfileFile]:
    files = [BadProfileFile(name, text.encode(), expected) for name, text, expected in _TEXTS]
    # Many keys of as many parts as a line may have: the slowest file that the reader hands to tomllib.
    parts = ".a" * MAX_DOTS
    dotted = "".join(f"k{n}{parts} = 1\n" for n in range(MAX_BYTES // (len(parts) + 12)))
    return [
        *files,
        BadProfileFile("not-utf-8", DEVICE.encode() + b'x = "\xff"\n', ("is not UTF-8: byte 0xff at offset",)),
        BadProfileFile("utf-16", DEVICE.encode("utf-16"), ("is not UTF-8: byte 0xff at offset 0",)),
        BadProfileFile("byte-order-mark", DEVICE.encode("utf-8-sig"), ("is not TOML",)),
        BadProfileFile("zero-bytes", bytes(1000), ("is not TOML",)),
        BadProfileFile("huge", b"#" * (MAX_BYTES + 1), (f"is larger than {MAX_BYTES} bytes",)),
        BadProfileFile("dotted-keys", dotted.encode(), ("has no format",)),
    ]
