"""What `edge plan --backend llama` reports: memory, as far as llama.cpp's is foreseeable; no speed is predicted."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def llama_report(
    path: Path, context: int | None, sequences: int, kv_type: str, threads: int | None, allowed: int | None
) -> dict[str, Any]:
    """As the report of the native engine. Errors as `edge.memory.plan_llama`."""
    from edge import device
    from edge.backends.llama import CAPABILITIES
    from edge.formats.gguf import open_gguf
    from edge.memory import Budget, Settings, fitting_llama, plan_llama
    from edge.other_engines import DEFAULT_CHUNK

    CAPABILITIES.check_kv_type(kv_type)
    num_threads = device.cpus().default_threads if threads is None else threads
    settings = Settings(
        context=context, num_sequences=sequences, kv_type=kv_type, chunk=DEFAULT_CHUNK, num_threads=num_threads
    )
    with open_gguf(path) as file:
        plan, budget = plan_llama(file, settings), Budget.of(allowed, device.memory())
        fits = plan.total_bytes <= budget.num_bytes
        others = () if fits else fitting_llama(file, settings, budget, plan)
    reason = "as asked" if threads is not None else "one per physical core allowed"
    return {
        "path": str(path),
        "device": None,
        "fits": fits,
        "plan": plan.as_json(),
        "budget_bytes": budget.num_bytes,
        "budget_source": budget.source,
        "would_fit": [other.as_json() for other in others],
        "chosen": {"threads": num_threads, "reasons": {"threads": reason}, "note": "the backend is llama.cpp"},
        "weights_note": "as large as in the file",
        "profile": "the speed of llama.cpp is not foretold",
    }
