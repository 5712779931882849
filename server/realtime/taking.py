"""An extension of ASGI by which frames are taken as they come, without a queue and a task between.

uvicorn puts each frame into a queue, stops reading, wakes the task that receives, and reads on,
fifty times a second for everyone who speaks. That costs more than what is done with the frame.

`scope["extensions"][TAKING]["let"](take)`: from then on each frame is offered to `take`; True means
that it was taken, and `receive` never has it. It is offered only while somebody waits in `receive`
and nothing waits before it, so that all frames are dealt with in order.
"""

from collections.abc import Callable, Mapping
from typing import Any

TAKING = "student_connect.taking"

Take = Callable[[str | bytes], bool]


def let(scope: Mapping[str, Any], take: Take) -> None:
    """Have frames offered to `take`, where the server below can do that."""
    extension = scope.get("extensions", {}).get(TAKING)
    if extension is not None:
        extension["let"](take)
