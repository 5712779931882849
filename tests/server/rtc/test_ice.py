from server.rtc import ice
from server.rtc.ice import CONSENT_S, PATHS, SILENT_S, Path
from tests.server.rtc.checks import agent, check

HOME: Path = (0, ("192.0.2.7", 5_000))
TRAIN: Path = (0, ("198.51.100.9", 6_000))


def test_the_first_checked_path_carries_the_call_until_one_is_nominated() -> None:
    call = agent()
    assert call.check(check(), HOME, 1.0) is not None
    assert call.selected == HOME
    call.check(check(), TRAIN, 1.1)
    assert call.selected == HOME
    call.check(check(nominate=True), TRAIN, 1.2)
    assert call.selected == TRAIN
    call.check(check(), HOME, 1.3)
    assert call.selected == TRAIN


def test_a_wrong_check_is_not_answered_and_changes_nothing() -> None:
    call = agent()
    assert call.check(check(password="q" * 32), HOME, 1.0) is None
    assert call.selected is None and not call.paths


def test_a_check_that_another_has_read_moves_nothing() -> None:
    call = agent()
    read = check(nominate=True)
    first = call.check(read, HOME, 1.0)
    assert first is not None
    assert call.check(read, TRAIN, 100.0) is None
    assert call.selected == HOME and TRAIN not in call.paths
    assert call.check(read, HOME, 101.0) is not None, "a check is sent again where it was lost"
    assert call.check(check(nominate=True), TRAIN, 102.0) is not None


def test_checks_from_ever_new_addresses_are_looked_at_so_often() -> None:
    call = agent()
    call.check(check(nominate=True), HOME, 1.0)
    for port in range(1_000):
        assert call.check(check(password="q" * 32), (0, ("203.0.113.9", port)), 1.0) is None
    assert call.check(check(), TRAIN, 1.0) is None, "too many just now"
    assert call.check(check(), HOME, 1.0) is not None, "who is known is not held up"
    assert call.check(check(), TRAIN, 2.0) is not None


def test_a_client_that_thinks_we_control_is_told_so_and_not_heard() -> None:
    call = agent()
    told = call.check(check(role="ICE-CONTROLLED", nominate=True), HOME, 1.0)
    assert told is not None and not told.valid
    assert call.selected is None and not call.paths


def test_a_call_goes_with_its_client_to_another_address() -> None:
    """A NAT that forgot: the client knows nothing, and nominates nothing anew."""
    call = agent()
    call.check(check(nominate=True), HOME, 1.0)
    call.hear(HOME, 5.0)
    call.check(check(), TRAIN, 5.0 + SILENT_S - 0.1)
    assert call.selected == HOME
    call.check(check(), TRAIN, 5.0 + SILENT_S)
    assert call.selected == TRAIN


def test_consent_is_for_the_path_in_use_and_ends() -> None:
    call = agent()
    assert not call.expired(1_000.0), "nothing is sent yet"
    call.check(check(nominate=True), HOME, 1.0)
    call.check(check(nominate=True), TRAIN, 2.0)
    call.hear(TRAIN, 2.0 + CONSENT_S)
    assert not call.expired(2.0 + CONSENT_S - 0.1)
    assert call.expired(2.0 + CONSENT_S), "to be heard is not to agree"
    call.check(check(), TRAIN, 2.0 + CONSENT_S)
    assert not call.expired(2.0 + CONSENT_S)


def test_only_so_many_paths_are_remembered_and_never_the_one_in_use_forgotten() -> None:
    call = agent()
    call.check(check(nominate=True), HOME, 0.0)
    for number in range(PATHS - 1):
        checked = call.check(check(), (0, ("192.0.2.8", 1_000 + number)), 0.1)
        assert checked is not None and checked.forgotten is None
    checked = call.check(check(), TRAIN, 0.2)
    assert checked is not None and checked.forgotten == (0, ("192.0.2.8", 1_000))
    assert len(call.paths) == PATHS and HOME in call.paths


def test_credentials_are_long_and_never_the_same() -> None:
    made = {ice.Credentials.new() for _ in range(100)}
    assert len(made) == 100
    for one in made:
        # RFC 8445, 5.3: at least 24 and 128 bits of chance.
        assert len(bytes.fromhex(one.ufrag)) == 8 and len(bytes.fromhex(one.password)) == 16
