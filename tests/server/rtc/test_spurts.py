from hypothesis import given
from hypothesis import strategies as st

from server.rtc.spurts import KEPT, Spurt, Spurts

# Of each spurt: slots of silence before it, frames, whether it goes on with the item before.
TALK = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 60), st.booleans()), min_size=1, max_size=KEPT
)


def spurts_of(talk, first_timestamp):
    spurts = Spurts(first_timestamp)
    slot = sequence = item = begins = 0
    for pause, frames, goes_on in talk:
        slot += pause
        item, begins = (item, begins) if goes_on else (item + 1, 0)
        spurts.add(
            Spurt("resp", f"item_{item}", slot, begins, frames * 480, frames, 70_000 + sequence)
        )
        slot += frames
        begins += frames * 480
        sequence += frames + 3
    return spurts


@given(TALK, st.integers(0, 2**32 - 1))
def test_each_sequence_leads_back_to_its_sound(talk, first_timestamp):
    spurts = spurts_of(talk, first_timestamp)
    for spurt in spurts.unheard():
        for number in (0, spurt.frames // 2, spurt.frames - 1):
            assert spurts.slot_of(spurt.sequence + number) == spurt.slot + number
        assert spurts.slot_of(spurt.sequence + spurt.frames) in (None, spurt.ends)
    assert spurts.slot_of(69_999) is None


@given(TALK, st.lists(st.floats(0, 60), max_size=30))
def test_a_position_never_goes_back_and_ends_at_the_end(talk, steps):
    spurts = spurts_of(talk, 5)
    ends = {spurt.item_id: (spurt.begins + spurt.samples) // 24 for spurt in spurts.unheard()}
    told = {}
    slot = 0.0
    for step in [*steps, 10_000.0]:
        slot += step
        for item_id, ms in spurts.advance(slot, None):
            assert ms >= told.get(item_id, 0)
            assert ms == spurts.heard(item_id, slot)
            told[item_id] = ms
    assert told == ends
    assert spurts.end() is None
    assert spurts.advance(slot + 100, None) == []


def test_nothing_sounded_before_anything_was_sent():
    spurts = Spurts(0)
    assert spurts.end() is None
    assert not spurts.sounded(0, 100)
    assert spurts.heard("item_1", 100) == 0
