"""What `edge plan FOLDER` reports of an ONNX model: memory, as measured of ONNX Runtime; no speed is predicted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.cli.planning import PlanOptions
    from edge.memory import Budget, Settings


def onnx_report(path: Path, options: PlanOptions) -> dict[str, Any]:
    """As the report of the native engine; every file of the folder is checked. Errors as `edge.memory.plan_onnx`."""
    from edge import device
    from edge.backends.onnx import CAPABILITIES
    from edge.backends.onnx.decoder import read_decoder
    from edge.cli.planning import other_report
    from edge.formats.onnx import open_onnx_folder
    from edge.memory import Budget, Settings, fitting_onnx, plan_onnx
    from edge.npu.folder import is_npu_folder
    from edge.other_engines import DEFAULT_CHUNK

    if options.kv_type != "f16":  # the default of an option that is the folder's to decide
        CAPABILITIES.check_kv_type(options.kv_type)
    num_threads = device.cpus().default_threads if options.threads is None else options.threads
    settings = Settings(
        context=options.context, num_sequences=options.sequences, chunk=DEFAULT_CHUNK, num_threads=num_threads
    )
    budget = Budget.of(options.allowed_bytes, device.memory())
    if is_npu_folder(path):
        return _npu_report(path, options, settings, budget)
    checked = open_onnx_folder(path)
    decoder = read_decoder(checked)
    plan = plan_onnx(checked.model, decoder, settings)
    others = (
        () if plan.total_bytes <= budget.num_bytes else fitting_onnx(checked.model, decoder, settings, budget, plan)
    )
    note = "with what is copied of them into the kernels' order"
    return other_report(path, options, plan, budget, others, num_threads, engine="ONNX Runtime", weights_note=note)


def _npu_report(path: Path, options: PlanOptions, settings: Settings, budget: Budget) -> dict[str, Any]:
    """Of a folder of `edge export --to npu`."""
    from edge.cli.planning import other_report
    from edge.memory.npu import fitting_npu, plan_npu
    from edge.npu.folder import open_npu_folder

    folder = open_npu_folder(path)
    plan = plan_npu(folder, settings)
    others = () if plan.total_bytes <= budget.num_bytes else fitting_npu(folder, settings, budget, plan)
    note = "on the CPU; what a provider's compiler takes is not in it"
    return other_report(
        path, options, plan, budget, others, settings.num_threads, engine="ONNX Runtime", weights_note=note
    )
