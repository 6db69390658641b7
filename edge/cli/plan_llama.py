"""What `edge plan --backend llama` reports: memory, as far as llama.cpp's is foreseeable; no speed is predicted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.cli.planning import PlanOptions


def llama_report(path: Path, options: PlanOptions) -> dict[str, Any]:
    """As the report of the native engine. Errors as `edge.memory.plan_llama`."""
    from edge import device
    from edge.backends.llama import CAPABILITIES
    from edge.cli.planning import other_report
    from edge.formats.gguf import open_gguf
    from edge.memory import Budget, Settings, fitting_llama, plan_llama
    from edge.other_engines import DEFAULT_CHUNK

    CAPABILITIES.check_kv_type(options.kv_type)
    num_threads = device.cpus().default_threads if options.threads is None else options.threads
    settings = Settings(
        context=options.context,
        num_sequences=options.sequences,
        kv_type=options.kv_type,
        chunk=DEFAULT_CHUNK,
        num_threads=num_threads,
    )
    with open_gguf(path) as file:
        plan, budget = plan_llama(file, settings), Budget.of(options.allowed_bytes, device.memory())
        others = () if plan.total_bytes <= budget.num_bytes else fitting_llama(file, settings, budget, plan)
    return other_report(
        path, options, plan, budget, others, num_threads, engine="llama.cpp", weights_note="as large as in the file"
    )
