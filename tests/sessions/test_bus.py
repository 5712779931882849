from uuid import UUID

from sessions.bus import Bus, session_topic

LESSON = UUID(int=7)


def test_listeners_hear_their_topic_in_order_and_no_other() -> None:
    bus, heard = Bus(), list[object]()
    bus.subscribe("a", heard.append)
    bus.subscribe("b", lambda event: heard.append(("b", event)))
    assert bus.publish("a", 1) == 1
    bus.publish("a", 2)
    bus.publish("b", 3)
    assert heard == [1, 2, ("b", 3)]


def test_a_topic_nobody_listens_to_is_fine() -> None:
    assert Bus().publish("nobody", 1) == 0


def test_after_unsubscribing_nothing_is_heard_and_twice_is_harmless() -> None:
    bus, heard = Bus(), list[object]()
    leave = bus.subscribe("a", heard.append)
    leave()
    leave()
    bus.publish("a", 1)
    assert heard == []


def test_the_same_callback_twice_is_two_listeners() -> None:
    bus, heard = Bus(), list[object]()
    leave = bus.subscribe("a", heard.append)
    bus.subscribe("a", heard.append)
    leave()
    bus.publish("a", 1)
    assert heard == [1]


def test_leaving_while_being_told_skips_no_other_listener() -> None:
    bus, heard = Bus(), list[object]()

    def once(event: object) -> None:
        heard.append("once")
        leave()

    leave = bus.subscribe("a", once)
    bus.subscribe("a", heard.append)
    bus.publish("a", 1)
    bus.publish("a", 2)
    assert heard == ["once", 1, 2]


def test_a_listener_that_fails_keeps_no_other_from_hearing() -> None:
    bus, heard = Bus(), list[object]()

    def fails(event: object) -> None:
        raise RuntimeError("secret words")

    bus.subscribe("a", fails)
    bus.subscribe("a", heard.append)
    assert bus.publish("a", 1) == 2
    assert heard == [1]


def test_a_session_has_its_own_topic() -> None:
    assert session_topic(LESSON) == "session:00000000-0000-0000-0000-000000000007"
