"""The loss of a training run as a picture."""

from __future__ import annotations

import math

WIDTH, HEIGHT, MARGIN = 640, 320, 48


def loss_curve(log: list[tuple[int, float]]) -> str:
    """SVG of (step, loss), the loss on a logarithmic axis with a line at every power of ten."""
    last = max(step for step, _ in log)
    low = math.floor(math.log10(min(loss for _, loss in log)))
    high = math.ceil(math.log10(max(loss for _, loss in log)))

    def x(step: float) -> float:
        return MARGIN + step / last * (WIDTH - 2 * MARGIN)

    def y(loss: float) -> float:
        return MARGIN + (high - math.log10(loss)) / max(high - low, 1) * (HEIGHT - 2 * MARGIN)

    grid = [
        f'<path d="M{MARGIN} {y(10.0**power):.1f}H{WIDTH - MARGIN}" stroke="#ccc"/>'
        f'<text x="{MARGIN - 6}" y="{y(10.0**power) + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        for power in range(low, high + 1)
    ]
    line = "L".join(f"{x(step):.1f} {y(loss):.1f}" for step, loss in log)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>{"".join(grid)}'
        f'<path d="M{line}" fill="none" stroke="#06c" stroke-width="1.5"/>'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - MARGIN / 3:.0f}" text-anchor="end">{last} steps</text>'
        f'<text x="{MARGIN}" y="{MARGIN / 2:.0f}">cross-entropy of answer tokens, nats</text></svg>\n'
    )
