"""The child process that recognises speech."""

from collections.abc import Mapping

from ai.local.recogniser import Recogniser
from ai.local.worker import Work, serve


def prepare() -> Mapping[str, Work]:
    """The acoustic model and the general words, loaded."""
    return {"transcribe": Recogniser().transcribe}


if __name__ == "__main__":
    serve(prepare)
