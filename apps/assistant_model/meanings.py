"""What the middle of the network is told in training: which tool or argument a token stands for, whatever its name.

Half-way up, the state of a listed name's first token, and that of the token before a name is written, must tell the
same meaning to the same classifier (deep supervision; Lee et al., 2015, https://arxiv.org/abs/1409.5185). Request and
list then speak one language, and the layers above learn to look one up in the other, or to see that it is missing. The
classifier is not part of the model.
"""

from __future__ import annotations

from apps.assistant_model.template_extra import EXTRA_TOOLS
from apps.assistant_model.tools import OFFERED

Meaning = tuple[str, str]  # a tool and "", or a tool and one of its arguments, by their own names
Placed = tuple[int, Meaning]  # where in a text the name begins that stands for it

MEANINGS: tuple[Meaning, ...] = tuple(
    (tool.name, argument)
    for tool in (*OFFERED, *EXTRA_TOOLS)
    for argument in ("", *(argument.name for argument in tool.arguments))
)
CLASS_OF: dict[Meaning, int] = {meaning: index for index, meaning in enumerate(MEANINGS)}
