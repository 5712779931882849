"""Limits on guessing passwords: wrong tries cost the guesser waiting time, and not the owner.

Theory of operation. Each try is charged as wrong when it begins, so that a thousand at once are a
thousand; a right one gets its charge back. Charges are forgiven with time. Who has signed in from
an address before is *known* there, and answers only for tries on their account from that address:
strangers elsewhere can't lock them out, nor can a classmate behind the same address who tries other
accounts. A stranger to the address answers twice, for the account and for the address.

An account is counted alike whether it exists or not. Memory is bounded: what was touched longest
ago is forgotten first, and an account under attack is always just touched.
"""

import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from uuid import UUID

MAX_TALLIES = 50_000
MAX_ACCOUNTS_KNOWN = 50_000
ADDRESSES_KNOWN = 8
"Per account: home, school, phone, and some that change."
IPV6_SITE_BITS = 64  # what one household or attacker gets at least


@dataclass(frozen=True, slots=True)
class Limit:
    """So many wrong tries are free; then each doubles the wait, up to a longest one."""

    free: int
    longest_s: int
    forgiven_s: int
    "One wrong try is forgotten after so long."

    def wait_s(self, wrong: float) -> float:
        if wrong < self.free:
            return 0.0
        return float(min(self.longest_s, 2 ** (wrong - self.free)))

    @property
    def most(self) -> int:
        """Where counting stops: more would wait no longer and be remembered for ever."""
        return self.free + math.ceil(math.log2(self.longest_s))


ACCOUNT = Limit(free=5, longest_s=900, forgiven_s=900)  # ~110 guesses a day from anywhere
ADDRESS = Limit(free=50, longest_s=60, forgiven_s=60)  # a class behind one address mistypes
KNOWN = Limit(free=10, longest_s=60, forgiven_s=300)


@dataclass(slots=True)
class _Tally:
    wrong: float = 0.0
    at_s: float = 0.0


class Guesses:
    """Counts tries in this process. `now_s` is any clock that does not jump."""

    def __init__(self) -> None:
        self._tallies: OrderedDict[Hashable, _Tally] = OrderedDict()
        self._known: OrderedDict[Hashable, OrderedDict[str, None]] = OrderedDict()

    def begin(self, tenant_id: UUID, email: str, address: str, now_s: float) -> int:
        """Charge a try and return 0; or, if it comes too soon, seconds to wait, uncharged."""
        answerable = self._answerable(tenant_id, email, address)
        for key, _ in answerable:
            if key in self._tallies:
                self._tallies.move_to_end(key)
        wait_s = max(self._wait_s(key, limit, now_s) for key, limit in answerable)
        if wait_s > 0:
            return math.ceil(wait_s)
        for key, limit in answerable:
            tally = self._tallies.setdefault(key, _Tally())
            tally.wrong = min(self._wrong(tally, limit, now_s) + 1, limit.most)
            tally.at_s = now_s
        while len(self._tallies) > MAX_TALLIES:
            self._tallies.popitem(last=False)
        return 0

    def was_right(self, tenant_id: UUID, email: str, address: str) -> None:
        """The try that began last for these was right: give its charge back, know the address."""
        for key, _ in self._answerable(tenant_id, email, address):
            if tally := self._tallies.get(key):
                tally.wrong = max(0.0, tally.wrong - 1)
        addresses = self._known.setdefault((tenant_id, email), OrderedDict())
        addresses[_site(address)] = None
        addresses.move_to_end(_site(address))
        if len(addresses) > ADDRESSES_KNOWN:
            addresses.popitem(last=False)
        self._known.move_to_end((tenant_id, email))
        if len(self._known) > MAX_ACCOUNTS_KNOWN:
            self._known.popitem(last=False)

    def _answerable(
        self, tenant_id: UUID, email: str, address: str
    ) -> tuple[tuple[Hashable, Limit], ...]:
        account, site = (tenant_id, email), _site(address)
        if site in self._known.get(account, ()):
            return (((account, site), KNOWN),)
        return ((account, ACCOUNT), (site, ADDRESS))

    def _wait_s(self, key: Hashable, limit: Limit, now_s: float) -> float:
        tally = self._tallies.get(key)
        return tally.at_s + limit.wait_s(tally.wrong) - now_s if tally else 0.0

    @staticmethod
    def _wrong(tally: _Tally, limit: Limit, now_s: float) -> float:
        return max(0.0, tally.wrong - (now_s - tally.at_s) / limit.forgiven_s)


def _site(address: str) -> str:
    """An IPv4 address, or the network that an IPv6 address's owner chooses from."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> IPV6_SITE_BITS << IPV6_SITE_BITS)}/{IPV6_SITE_BITS}"
    return str(parsed)
