"""Graphs in the forms that OpenVINO takes whole, and computes alike when it reads back what it compiled.

RMSNormalization is no operator of its plugin: it is written in parts, which its compiler finds and makes one again. The
halves of a rotation are not joined by one Concat: OpenVINO 2026.4 takes Slice, Mul, Sub, Add and Concat for a rotation
of another kind when it reads a compiled graph, and computes it with 13 dB.
"""

from __future__ import annotations

from edge.export.npu.onnx_graph import QdqWriter
from edge.export.npu.static import StaticOp

__all__ = ["OpenVinoWriter"]


class OpenVinoWriter(QdqWriter):
    def _compute(self, op: StaticOp, inputs: list[str], result: str) -> None:
        if op.kind == "RMSNormalization":
            self._norm(op, inputs[0], inputs[1], result)
        elif op.kind == "Concat" and op.inputs[:2] == (f"{op.output}.first", f"{op.output}.second"):
            self._rotated(op, inputs, result)
        else:
            super()._compute(op, inputs, result)

    def _norm(self, op: StaticOp, values: str, gain: str, result: str) -> None:
        """values / sqrt(mean(values^2) + epsilon) * gain, in floats from end to end."""
        square, mean, total, root, normed = (
            f"{op.output}.{part}" for part in ("square", "mean", "sum", "root", "normed")
        )
        self._node("Pow", [values, self._scalar(2.0)], square, square)
        self._node("ReduceMean", [square, self._integers((-1,))], mean, mean, keepdims=1)
        self._node("Add", [mean, self._scalar(op.number)], total, total)
        self._node("Sqrt", [total], root, root)
        self._node("Div", [values, root], normed, normed)
        self._node("Mul", [normed, gain], result, op.output)

    def _rotated(self, op: StaticOp, inputs: list[str], result: str) -> None:
        """Both halves stacked, and read as one row; then what does not turn."""
        halves = [f"{op.output}.upright.{i}" for i in range(2)]
        for half, value in zip(halves, inputs[:2], strict=True):
            self._node("Unsqueeze", [value, self._integers((-2,))], half, half)
        stacked = f"{op.output}.stacked"
        self._node("Concat", halves, stacked, stacked, axis=-2)
        rest = inputs[2:]
        joined = f"{op.output}.joined" if rest else result
        self._node("Reshape", [stacked, self._integers((0, 0, 0, -1))], joined, joined if rest else op.output)
        if rest:
            self._node("Concat", [joined, *rest], result, op.output, axis=-1)

    def _scalar(self, value: float) -> str:
        name = f"float.{value!r}"
        if name not in self._constants:
            self._constants[name] = self._helper.make_tensor(name, self._types.FLOAT, [], [value])
        return name
