"""What `edge plan FOLDER` reports of an ONNX model: memory, as measured of ONNX Runtime; no speed is predicted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.cli.planning import PlanOptions


def onnx_report(path: Path, options: PlanOptions) -> dict[str, Any]:
    """As the report of the native engine; every file of the folder is checked. Errors as `edge.memory.plan_onnx`."""
    from edge import device
    from edge.backends.onnx import CAPABILITIES
    from edge.backends.onnx.decoder import read_decoder
    from edge.formats.onnx import open_onnx_folder
    from edge.memory import Budget, Settings, fitting_onnx, plan_onnx
    from edge.other_engines import DEFAULT_CHUNK

    if options.kv_type != "f16":  # the default of an option that is the folder's to decide
        CAPABILITIES.check_kv_type(options.kv_type)
    num_threads = device.cpus().default_threads if options.threads is None else options.threads
    settings = Settings(
        context=options.context, num_sequences=options.sequences, chunk=DEFAULT_CHUNK, num_threads=num_threads
    )
    checked = open_onnx_folder(path)
    decoder, budget = read_decoder(checked), Budget.of(options.allowed_bytes, device.memory())
    plan = plan_onnx(checked.model, decoder, settings)
    fits = plan.total_bytes <= budget.num_bytes
    others = () if fits else fitting_onnx(checked.model, decoder, settings, budget, plan)
    reason = "as asked" if options.threads is not None else "one per physical core allowed"
    return {
        "path": str(path),
        "device": None,
        "fits": fits,
        "plan": plan.as_json(),
        "budget_bytes": budget.num_bytes,
        "budget_source": budget.source,
        "would_fit": [other.as_json() for other in others],
        "chosen": {"threads": num_threads, "reasons": {"threads": reason}, "note": "the backend is ONNX Runtime"},
        "weights_note": "with what is copied of them into the kernels' order",
        "profile": "the speed of ONNX Runtime is not foretold",
    }
