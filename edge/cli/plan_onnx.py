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
    from edge.cli.planning import other_report
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
    others = (
        () if plan.total_bytes <= budget.num_bytes else fitting_onnx(checked.model, decoder, settings, budget, plan)
    )
    note = "with what is copied of them into the kernels' order"
    return other_report(path, options, plan, budget, others, num_threads, engine="ONNX Runtime", weights_note=note)
