"""Instructions and cycles per weight of the aarch64 inner loops, and the tokens a second that these and a board's
memory allow. A model (llvm-mca's, and its cores'), not a measurement: no board was at hand.

python -m scripts.cycles_table          needs aarch64-linux-gnu-gcc, and llvm-mca of LLVM 17 or later
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edge.profiles import load_shipped
from scripts.random_model import SHAPES

NATIVE = Path(__file__).resolve().parent.parent / "native"
COMPILER = "aarch64-linux-gnu-gcc"
# As native/CMakeLists.txt builds them: nothing is tuned to a core.
FLAGS = ["-std=c11", "-O3", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fno-tree-ter"]
LEVELS = {"neon": [], "dotprod": ["-march=armv8.2-a+dotprod"]}
ITERATIONS = 200

# Products of one instruction: int8 into int16 lanes, or four into each int32 lane.
PRODUCTS = {"smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8, "sdot": 16}
LABEL = re.compile(r"^(\.L\w+):")
BRANCH = re.compile(r"^\t(?:b|b\.?\w\w|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#?\w+,)\s+(\.L\w+)")


@dataclass(frozen=True, slots=True)
class Family:
    """A packed family: its kernel's name, the GGUF type, bytes of 16 rows and the k that they hold."""

    group: str
    name: str
    gguf: str
    bytes: int
    columns: int

    @property
    def bytes_per_weight(self) -> float:
        return self.bytes / (16 * self.columns)


FAMILIES = (  # sizes: native/src/tile.h
    Family("g32", "w8g32", "Q8_0", 544, 32),
    Family("g32", "w4g32", "Q4_0", 288, 32),
    Family("g256", "w4mg256", "Q4_K", 2368, 256),
    Family("g256", "w6g256", "Q6_K", 3360, 256),
    Family("g256", "w3g256", "Q3_K", 1824, 256),
    Family("g256", "w2mg256", "Q2_K", 1344, 256),
    Family("g256", "n4g256", "IQ4_XS", 2208, 256),
    Family("g32", "e4g32", "MXFP4", 272, 32),
    Family("g256", "w2g256", "TQ2_0", 1056, 256),
    Family("g256", "t5g256", "TQ1_0", 864, 256),
    Family("g32", "w2g64", "Q2_0", 288, 64),
    Family("g32", "w1g128", "Q1_0", 288, 128),
)


@dataclass(frozen=True, slots=True)
class Core:
    """A core, the one that llvm-mca knows it by, and the board (a device profile) that has it."""

    name: str
    scheduled_as: str
    levels: tuple[str, ...]
    board: str
    stream_gb_s: float | None = None  # where the profile has no bandwidth of reads, with its source in the note
    note: str = ""


CORES = (
    Core("Cortex-A72", "cortex-a72", ("neon",), "raspberry-pi-4", 5.56, "STREAM, sci-pi.org.uk/bench/stream.html"),
    # The Neoverse N1 is the Cortex-A76's twin for servers; LLVM schedules the A76 as an A57, which has no sdot.
    Core("Cortex-A76", "neoverse-n1", ("neon", "dotprod"), "raspberry-pi-5"),
)


@dataclass(frozen=True, slots=True)
class Loop:
    lines: list[str]
    products: int


def find_mca() -> str:
    """The newest llvm-mca; SystemExit when there is none of LLVM 17 or later."""
    for version in range(25, 16, -1):
        if found := shutil.which(f"llvm-mca-{version}"):
            return found
    if found := shutil.which("llvm-mca"):
        text = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        match = re.search(r"LLVM version (\d+)", text)
        if match and int(match[1]) >= 17:
            return found
    raise SystemExit("no llvm-mca of LLVM 17 or later: apt-get install llvm-19")


def assembly(family: Family, level: str) -> list[str]:
    """The lines of the family's one-token kernel."""
    source = NATIVE / "src" / "kernels" / f"edge_dot_{family.group}_1x16__{level}.c"
    includes = [f"-I{NATIVE / 'src'}", f"-I{NATIVE / 'include'}"]
    command = [COMPILER, *FLAGS, *LEVELS[level], *includes, "-S", "-o", "-", str(source)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    name = f"edge_matmul_f32_a8{family.group}_{family.name}_1x16__{level}"
    match = re.search(rf"^{name}:\n(.*?)^\t\.size\t{name},", text, re.MULTILINE | re.DOTALL)
    if match is None:
        raise SystemExit(f"{source.name}: no {name} in the assembly")
    return match[1].splitlines()


def inner_loop(lines: list[str]) -> Loop:
    """The innermost loop that multiplies; the largest where there are several."""
    labels = {match[1]: i for i, line in enumerate(lines) if (match := LABEL.match(line))}
    spans = [
        (labels[match[1]], i)
        for i, line in enumerate(lines)
        if (match := BRANCH.match(line)) and labels.get(match[1], i) < i
    ]
    multiplying = [(begin, end) for begin, end in spans if _products(lines[begin : end + 1]) > 0]
    innermost = [
        span
        for span in multiplying
        if not any(other != span and span[0] <= other[0] and other[1] <= span[1] for other in multiplying)
    ]
    if not innermost:
        raise SystemExit("no loop with products in the assembly")
    begin, end = max(innermost, key=lambda span: _products(lines[span[0] : span[1] + 1]))
    body = [line for line in lines[begin : end + 1] if line.startswith("\t") and not line.startswith("\t.")]
    return Loop(body, _products(body))


def _products(lines: list[str]) -> int:
    return sum(PRODUCTS.get(line.split("\t")[1], 0) for line in lines if line.startswith("\t"))


def simulate(mca: str, loop: Loop, core: Core) -> tuple[float, float]:
    """(instructions, cycles) of one turn of the loop."""
    command = [mca, "-mtriple=aarch64-linux-gnu", f"-mcpu={core.scheduled_as}", f"-iterations={ITERATIONS}", "-"]
    done = subprocess.run(command, input="\n".join(loop.lines) + "\n", capture_output=True, text=True, check=False)
    instructions = re.search(r"^Instructions:\s+(\d+)", done.stdout, re.MULTILINE)
    cycles = re.search(r"^Total Cycles:\s+(\d+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or instructions is None or cycles is None:
        raise SystemExit(f"llvm-mca on {core.scheduled_as}: {done.stderr.strip()}")
    return int(instructions[1]) / ITERATIONS, int(cycles[1]) / ITERATIONS


def weights_per_token() -> int:
    """Weights that a token of tinyllama-1.1b meets: all matrices but the embedding, of which it reads a row."""
    shape = SHAPES["tinyllama-1.1b"]
    attention = shape.hidden * shape.head_dim * (2 * shape.heads + 2 * shape.kv_heads)
    return shape.layers * (attention + 3 * shape.hidden * shape.ffn) + shape.vocab * shape.hidden


def board(core: Core) -> tuple[float, float, str]:
    """(cycles a second of all cores, bytes a second, where the bandwidth comes from)."""
    profile = load_shipped(core.board)
    cores = next(c for c in profile.cores if c.name == core.name)
    if cores.max_mhz is None:
        raise SystemExit(f"{core.board}: no clock")
    reads = max(profile.reads, key=lambda read: read.gb_s, default=None)
    if reads is not None:
        return cores.count * cores.max_mhz * 1e6, reads.gb_s * 1e9, f"{reads.threads} threads, {reads.evidence.source}"
    if core.stream_gb_s is None:
        raise SystemExit(f"{core.board}: no bandwidth")
    return cores.count * cores.max_mhz * 1e6, core.stream_gb_s * 1e9, core.note


def main() -> None:
    mca = find_mca()
    weights = weights_per_token()
    print("A model, not a measurement: llvm-mca on the inner loop of one token, as if every load hit the first cache")
    print("and the rest of a step took no time.")
    print(f"Tokens a second: {weights / 1e9:.3f} billion weights (tinyllama-1.1b, all of one type), all cores.\n")
    print("| core | level | type | instructions/weight | cycles/weight | cores allow | memory allows | tokens/s |")
    print("|---|---|---|---|---|---|---|---|")
    for core in CORES:
        hertz, bandwidth, _ = board(core)
        for level in core.levels:
            for family in FAMILIES:
                loop = inner_loop(assembly(family, level))
                instructions, cycles = simulate(mca, loop, core)
                by_cores = hertz / (cycles / loop.products) / weights
                by_bandwidth = bandwidth / (family.bytes_per_weight * weights)
                print(
                    f"| {core.name} | {level} | {family.gguf} | {instructions / loop.products:.3f} |"
                    f" {cycles / loop.products:.3f} | {by_cores:.1f} | {by_bandwidth:.1f} |"
                    f" {min(by_cores, by_bandwidth):.1f} |"
                )
    print()
    for core in CORES:
        hertz, bandwidth, source = board(core)
        print(f"{core.name}: {load_shipped(core.board).device.name}, scheduled as {core.scheduled_as},")
        print(f"{hertz / 1e9:.1f} billion cycles a second on all cores, {bandwidth / 1e9:.2f} GB/s ({source}).")


if __name__ == "__main__":
    main()
