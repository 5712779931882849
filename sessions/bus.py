"""Tells everyone in this process who cares that something happened.

Publish after the commit, never before: what is heard here is in the database. Callbacks are called
at once, in the order they came, and must not block; slow work a listener does in its own task.
"""

from collections.abc import Callable

import structlog

Callback = Callable[[object], None]

log = structlog.get_logger()


class Bus:
    """The in-process bus: topics are strings, events the frozen facts of the room that publishes.

    Topics: `session:<uuid>` carries what happens to a session beside its live conversation,
    `school:<uuid>` the news of a school (`sessions.news`).
    """

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callback]] = {}

    def subscribe(self, topic: str, callback: Callback) -> Callable[[], None]:
        """Call `callback(event)` for each event of `topic`; returns what ends that."""
        self._callbacks.setdefault(topic, []).append(callback)

        def unsubscribe() -> None:
            callbacks = self._callbacks.get(topic, [])
            if callback in callbacks:
                callbacks.remove(callback)
            if not callbacks:
                self._callbacks.pop(topic, None)

        return unsubscribe

    def publish(self, topic: str, event: object) -> int:
        """Tell all listeners of `topic`; one that fails is logged and keeps no other from hearing.

        Returns how many were told.
        """
        callbacks = tuple(self._callbacks.get(topic, ()))
        for callback in callbacks:
            try:
                callback(event)
            except Exception as problem:
                log.error("bus.listener_failed", topic=topic, problem=type(problem).__name__)
        return len(callbacks)


def school_topic(tenant_id: object) -> str:
    """The topic of one school's news."""
    return f"school:{tenant_id}"


def session_topic(session_id: object) -> str:
    """The topic of one session."""
    return f"session:{session_id}"
