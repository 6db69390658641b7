"""What `edge doctor` says of ONNX Runtime: its providers and devices, and where the operators of a model would run."""

from __future__ import annotations

from typing import Any


def examine_onnx(folder: str | None, provider: str | None, *, strict: bool = False) -> dict[str, Any] | None:
    """An object for the report; None where onnxruntime is not installed and no model was named.

    folder: an ONNX model, which is loaded to see where its operators go. Raises what loading it raises.
    """
    from edge.backends.onnx.providers import devices, register_plugins, runtime
    from edge.errors import RequestError

    try:
        ort = runtime()
    except RequestError:
        if folder is None:
            return None
        raise
    problems = register_plugins(ort)
    report: dict[str, Any] = {
        "version": str(ort.__version__),
        "devices": [device.as_json() for device in devices(ort)],
        "problems": problems,
        "model": None,
    }
    if folder is not None:
        import edge

        with edge.load(folder, context=64, provider=provider, strict=strict) as model:
            report["model"] = {
                "path": model.path, "backend": model.backend, "placement": model.step_backend.placement,
                "note": model.weights.note,
            }  # fmt: skip
    return report


def onnx_rows(report: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Lines of the report."""
    if report is None:
        return [("onnx", "not installed: pip install 'edge-rt[onnx]'")]
    found = ", ".join(f"{item['provider'].removesuffix('ExecutionProvider').lower()} ({item['kind']}, {item['vendor']})"
                      for item in report["devices"])  # fmt: skip
    rows = [("onnx", f"onnxruntime {report['version']}: {found}")]
    rows += [("problem", problem) for problem in report["problems"]]
    if report["model"] is not None:
        placement = report["model"]["placement"]
        for name, counts in placement["nodes"].items():
            operators = ", ".join(f"{kind} x {count}" for kind, count in sorted(counts.items()))
            rows.append(("operators", f"{name}: {operators}"))
        rows.append(("fallback", placement["fallback"] or "none: all run where they were meant to"))
        if report["model"]["note"] not in (None, placement["fallback"]):
            rows.append(("note", report["model"]["note"]))
    return rows
