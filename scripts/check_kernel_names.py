"""Kernel files, symbols, declarations and tables agree with the grammar edge_<op>_<dst>_<lhs>_<rhs>[_<MRxNR>]__<isa>.

Run without arguments; prints every kernel with the GGUF type that reaches it, and exits with 1 on a mismatch.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "native" / "src"
KERNELS = SOURCES / "kernels"

SHAPES = ("1x16", "8x16", "64x16")
PAIR = "64x32"  # two tile rows at once; a level may have none
FLOAT_FAMILIES = ("f32", "f16", "bf16")

# Levels that have no kernels of their own for some slots: the level below serves those.
EXTENDS = {
    "sse41": "scalar", "avxvnni": "avx2", "avx512vbmi": "avx512vnni", "dotprod": "neon", "i8mm": "dotprod",
}  # fmt: skip

# Operations that a level leaves to the one below: what takes its time once, when a file is made, needs no fifth text.
INHERITED = {"avx512vnni": {"search_affine_f32", "search_symmetric_f32", "search_descent_f32", "search_table_f32"}}

# Which operations a file holds, by the first part of its name. A matrix file holds a set of weight families.
OPERATIONS = {
    "quantize": {"quantize_a8g32_f32", "quantize_a8g256_f32", "convert_f16_f32"},
    "elementwise": {
        "rms_norm_f32", "layer_norm_f32", "silu_f32", "silu_mul_f32", "gelu_f32", "gelu_mul_f32", "gelu_erf_f32",
        "gelu_erf_mul_f32", "relu2_f32", "relu2_mul_f32", "add_f32",
        "mul_f32", "rope_norm_f32", "rope_neox_f32",
    },
    "attend": {"attend_f32_f32_f16", "attend_f32_f32_f32", "attend_f32_q8_q8", "attend_merge_f32"},
    "measure": {"read_u64", "peak_i32_a8_u8", "peak_f32"},
    "search": {"search_affine_f32", "search_symmetric_f32", "search_descent_f32", "search_table_f32"},
}  # fmt: skip
# Where the table keeps each of them, and the function type that kernels.h gives it.
SLOTS = {
    "quantize_a8g32_f32": ("quantize_a8g32", "edge_quantize_fn"),
    "quantize_a8g256_f32": ("quantize_a8g256", "edge_quantize_fn"),
    "convert_f16_f32": ("f32_to_f16", "edge_f32_to_f16_fn"),
    "rms_norm_f32": ("rms_norm", "edge_rms_norm_fn"),
    "layer_norm_f32": ("layer_norm", "edge_layer_norm_fn"),
    "silu_f32": ("silu", "edge_unary_fn"),
    "silu_mul_f32": ("silu_mul", "edge_binary_fn"),
    "gelu_f32": ("gelu", "edge_unary_fn"),
    "gelu_mul_f32": ("gelu_mul", "edge_binary_fn"),
    "gelu_erf_f32": ("gelu_erf", "edge_unary_fn"),
    "gelu_erf_mul_f32": ("gelu_erf_mul", "edge_binary_fn"),
    "relu2_f32": ("relu2", "edge_unary_fn"),
    "relu2_mul_f32": ("relu2_mul", "edge_binary_fn"),
    "add_f32": ("add", "edge_binary_fn"),
    "mul_f32": ("mul", "edge_binary_fn"),
    "rope_norm_f32": ("rope_norm", "edge_rope_fn"),
    "rope_neox_f32": ("rope_neox", "edge_rope_fn"),
    "attend_f32_f32_f16": ("attend_f16", "edge_attend_f16_fn"),
    "attend_f32_f32_f32": ("attend_f32", "edge_attend_f32_fn"),
    "attend_f32_q8_q8": ("attend_q8", "edge_attend_q8_fn"),
    "attend_merge_f32": ("attend_merge", "edge_attend_merge_fn"),
    "search_affine_f32": ("search_affine", "edge_search_affine_fn"),
    "search_symmetric_f32": ("search_symmetric", "edge_search_scale_fn"),
    "search_descent_f32": ("search_descent", "edge_search_scale_fn"),
    "search_table_f32": ("search_table", "edge_search_table_fn"),
    "read_u64": ("read", "edge_read_fn"),
    "peak_i32_a8_u8": ("peak", "edge_peak_fn"),
    "peak_f32": ("peak_f32", "edge_peak_f32_fn"),
}

FILE = re.compile(
    r"edge_(dot_g32|dot_g256|dot|float|quantize|elementwise|attend|measure|search|table)(?:_(\d+x(?:16|32)))?__([a-z0-9]+)\.c"
)
MATMUL = re.compile(r"matmul_f32_(f32|a8g32|a8g256)_([a-z0-9]+?)(?:_(\d+x(?:16|32)))?")
DEFINITION = re.compile(r"^[a-z_0-9]+ \**edge_([a-z0-9_]+?)__([a-z0-9]+)\(", re.MULTILINE)
DECLARATION = re.compile(r"^(edge_[a-z0-9_]+_fn) edge_([a-z0-9_]+?)__([a-z0-9]+);", re.MULTILINE)
TABLE_MATMUL = re.compile(
    r"kernels->matmul\[EDGE_FAMILY_(\w+)\]\[EDGE_SHAPE_(\w+)\] =\s+edge_([a-z0-9_]+?)__([a-z0-9]+);"
)
TABLE_PAIR = re.compile(r"kernels->matmul_pair\[EDGE_FAMILY_(\w+)\] =\s+edge_([a-z0-9_]+?)__([a-z0-9]+);")
TABLE_SLOT = re.compile(r"kernels->(\w+) =\s+edge_([a-z0-9_]+?)__([a-z0-9]+);")

# The lists of families.h, and a macro that a level applies to one.
LIST = re.compile(r"#define (EDGE_\w+_FAMILIES)\(X\)((?:.*\\\n)*.*)")
MACRO = re.compile(r"#define (\w+)\(FAMILY, family, code, has_min\)((?:.*\\\n)*.*)")

problems: list[str] = []


def problem(where: str, what: str) -> None:
    problems.append(f"{where}: {what}")


def read(path: Path) -> str:
    """A source file with its macros over lists of families (kernels/families.h) written out."""
    text = path.read_text()
    lists = dict(LIST.findall((KERNELS / "families.h").read_text()))
    for macro, body in MACRO.findall(text):
        lines = "\n".join(line.strip() for line in body.replace("\\\n", "\n").splitlines())
        for name, entries in lists.items():
            written = "\n".join(
                lines.replace("##family##", family).replace("##FAMILY", upper)
                for upper, family in re.findall(r"X\((\w+), (\w+),", entries)
            )
            text = re.sub(rf"^ *{name}\({macro}\)$", written, text, flags=re.MULTILINE)
    return text


def families() -> dict[str, str]:
    """Weight family -> its GGUF types, from the layouts that packing accepts; checked against the enum of kernels.h."""
    found: dict[str, str] = {}
    for gguf, family in re.findall(r"\{EDGE_TYPE_(\w+), EDGE_FAMILY_(\w+),", (SOURCES / "pack.c").read_text()):
        found[family.lower()] = f"{found[family.lower()]}, {gguf}" if family.lower() in found else gguf
    enum = re.findall(r"^\s+EDGE_FAMILY_(\w+),", (SOURCES / "kernels.h").read_text(), re.MULTILINE)
    for family in enum:
        if family.lower() not in found:
            problem("pack.c", f"no GGUF type reaches EDGE_FAMILY_{family}")
    for family in found.keys() - {family.lower() for family in enum}:
        problem("kernels.h", f"no EDGE_FAMILY_{family.upper()}, which {found[family]} would reach")
    return found


def activation(family: str) -> str:
    return "f32" if family in FLOAT_FAMILIES else "a8g256" if family.endswith("g256") else "a8g32"


def belongs(kernel: str, stem: str, shape: str | None) -> bool:
    """Whether a file of this stem and shape may define the kernel (its name without edge_ and __isa)."""
    if stem in OPERATIONS:
        return shape is None and kernel in OPERATIONS[stem]
    match = MATMUL.fullmatch(kernel)
    if match is None or match[3] != shape:
        return False
    if stem == "float":
        return match[1] == "f32"
    return match[1] != "f32" and stem in ("dot", f"dot_{match[1].removeprefix('a8')}")


def definitions(isa: str) -> set[str]:
    found: set[str] = set()
    for path in sorted(KERNELS.glob(f"*__{isa}.c")):
        match = FILE.fullmatch(path.name)
        if match is None:
            problem(path.name, "the name is not edge_<op>[_<MRxNR>]__<isa>.c")
            continue
        text = read(path)
        if isa != "scalar" and "#error" not in text.split("#include")[0]:
            problem(path.name, "does not open with a feature gate (#error)")
        if match[1] == "table":
            continue
        for kernel, level in DEFINITION.findall(text):
            if level != isa or not belongs(kernel, match[1], match[2]):
                problem(path.name, f"edge_{kernel}__{level} does not belong in this file")
            if kernel in found:
                problem(path.name, f"edge_{kernel}__{level} is defined twice")
            found.add(kernel)
    return found


def declarations(isa: str) -> set[str]:
    path = KERNELS / f"edge_kernels__{isa}.h"
    found: set[str] = set()
    for function_type, kernel, level in DECLARATION.findall(read(path)):
        match = MATMUL.fullmatch(kernel)
        wanted = "edge_matmul_fn" if match else SLOTS.get(kernel, ("", "nothing"))[1]
        if level != isa or function_type != wanted:
            problem(path.name, f"{function_type} edge_{kernel}__{level}, expected {wanted} and {isa}")
        if match and match[1] != activation(match[2]):
            problem(path.name, f"edge_{kernel}__{level}: {match[2]} reads {activation(match[2])}")
        found.add(kernel)
    return found


def table(isa: str, gguf_types: dict[str, str]) -> set[str]:
    """Every slot of the level's table holds the kernel of that name; prints who reaches it."""
    path = KERNELS / f"edge_table__{isa}.c"
    text = read(path)
    found: set[str] = set()
    slots: set[tuple[str, str]] = set()
    for family, shape, kernel, level in TABLE_MATMUL.findall(text):
        family, shape = family.lower(), shape.lower()
        name = f"matmul_f32_{activation(family)}_{family}"
        # The scalar kernel of a family serves every shape.
        if kernel != (name if isa == "scalar" else f"{name}_{shape}") or level != isa:
            problem(path.name, f"edge_{kernel}__{level} stands for family {family}, shape {shape}")
        print(f"{gguf_types.get(family, '?'):22} {shape:5} edge_{kernel}__{level}")
        slots.add((family, shape))
        found.add(kernel)
    for family, kernel, level in TABLE_PAIR.findall(text):
        family = family.lower()
        if kernel != f"matmul_f32_{activation(family)}_{family}_{PAIR}" or level != isa:
            problem(path.name, f"edge_{kernel}__{level} stands for pairs of family {family}")
        print(f"{gguf_types.get(family, '?'):22} {PAIR:5} edge_{kernel}__{level}")
        found.add(kernel)
    for family in gguf_types:
        for shape in SHAPES:
            if (family, shape) not in slots and isa not in EXTENDS:
                problem(path.name, f"no kernel for family {family}, shape {shape}")
    for slot, kernel, level in TABLE_SLOT.findall(text):
        if SLOTS.get(kernel, ("",))[0] != slot or level != isa:
            problem(path.name, f"edge_{kernel}__{level} stands in slot {slot}")
        print(f"{'any':22} {'any':5} edge_{kernel}__{level}")
        found.add(kernel)
    for kernel in SLOTS.keys() - found - INHERITED.get(isa, set()) if isa not in EXTENDS else ():
        problem(path.name, f"nothing fills {SLOTS[kernel][0]}")
    return found


def main() -> int:
    gguf_types = families()
    levels = sorted({path.stem.split("__")[1] for path in KERNELS.glob("*__*.c")})
    if "scalar" not in levels:
        problem(str(KERNELS), "no scalar kernels")
    for isa in levels:
        defined, declared, listed = definitions(isa), declarations(isa), table(isa, gguf_types)
        for kernel in sorted(defined ^ declared):
            problem(isa, f"edge_{kernel}: " + ("not declared" if kernel in defined else "declared, not defined"))
        for kernel in sorted(defined ^ listed):
            problem(
                isa, f"edge_{kernel}__{isa} is {'in no table' if kernel in defined else 'in the table, not defined'}"
            )
    for line in problems:
        print(line, file=sys.stderr)
    print(f"{len(levels)} levels ({', '.join(levels)}), {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
