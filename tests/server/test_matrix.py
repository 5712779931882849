"""Every route with every role of two schools: what the table of rights says, and nothing beyond.

One's own school: by right only; what one may not see is not there. The other school: nothing of it
is there for anybody, and the answer is the very same as for an id that never was.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from server.api.openapi import document
from server.api.table import PREFIX
from server.app import API
from tenancy import migrate
from tenancy.crypto import Keyring
from tenancy.ids import new_id
from tenancy.model import Person
from tenancy.policy import Thing, may
from tenancy.postgres import Database
from tests.conftest import MASTER_KEY, Urls, make_school
from tests.server.matrix.ways import WAYS, Way
from tests.server.matrix.world import Answer, House, World, ask, knock

together = pytest.mark.asyncio(loop_scope="module")
"In the event loop of the matrix, which is made once."

WORDS = ("xylophone", "marimba")
NEVER = str(new_id())
"An id that never was."


@dataclass(frozen=True)
class Knock:
    """One request: who, where, and with which of the world's things."""

    route: str
    person: Person | None
    ids: dict[str, str]
    thing: str | None = None

    def __str__(self) -> str:
        who = "nobody" if self.person is None else self.person.name
        return f"{who}: {self.route} with {self.thing or 'nothing'}"


class Matrix:
    """Both schools, and what came back from them."""

    def __init__(self, house: House, ours: World, theirs: World) -> None:
        self.house, self.ours, self.theirs = house, ours, theirs
        self.asked = 0

    async def knock(self, knock: Knock, home: World) -> Answer:
        """Ask, and see that nothing of another school, or of a stranger, is in the answer."""
        way = WAYS[knock.route]
        method, path = knock.route.split(" ")
        for name in re.findall(r"{(\w+)}", path):
            value = knock.ids[_named(way, name, knock.thing)]
            path = path.replace(f"{{{name}}}", value)
        body = None
        if way.body is not None:
            filled = _filled(way.body, knock.ids)
            body = filled if isinstance(filled, bytes) else json.dumps(filled).encode()
        token = None
        if knock.person is not None:
            take = self.house.fresh_token if way.own_token else self.house.token
            token = await take(home, knock.person)
        query = _filled(way.query, knock.ids)
        answer = await ask(
            self.house.app, method, PREFIX + path, token, query=query, body=body, media=way.media
        )
        self.asked += 1
        assert answer.status < 500, (str(knock), answer)
        self._check_clean(knock, answer, home)
        return answer

    def _check_clean(self, knock: Knock, answer: Answer, home: World) -> None:
        other = self.theirs if home is self.ours else self.ours
        text = answer.text
        for sent in knock.ids.values():
            if len(sent) == 36 and sent not in home.ids.values():
                text = text.replace(sent, "")
        for secret in other.secrets():
            assert secret not in text, (str(knock), secret, answer)
        if knock.person is None or not knock.person.roles & {"instructor", "admin"}:
            assert home.strangers not in text, (str(knock), answer)
        if knock.person is not None and "parent" in knock.person.roles:
            assert home.unread not in text, (str(knock), answer)


def _named(way: Way, parameter: str, thing: str | None) -> str:
    """Which of the world's things a path's parameter names."""
    if parameter in way.also:
        return way.also[parameter]
    assert thing is not None, f"say in `of` or `also` what {{{parameter}}} is"
    return thing


def _filled(template: Any, ids: dict[str, str]) -> Any:
    if isinstance(template, str):
        return re.sub(r"{(\w+)}", lambda match: ids[match[1]], template)
    if isinstance(template, list):
        return [_filled(one, ids) for one in template]
    if isinstance(template, dict):
        return {name: _filled(value, ids) for name, value in template.items()}
    return template


def _names(route: str, way: Way, thing: str | None) -> set[str]:
    """The things that a request for a route names."""
    in_path = re.findall(r"{(\w+)}", route)
    named = {_named(way, parameter, thing) for parameter in in_path}
    return named | set(re.findall(r"{(\w+)}", way.query + json.dumps(_plain(way.body))))


def _plain(body: Any) -> Any:
    return body.decode() if isinstance(body, bytes) else body


def _allowed(way: Way, person: Person, thing: str | None, world: World) -> tuple[bool, bool]:
    """Whether the table lets somebody do it; and whether they may read what it is done to."""
    if way.right is None:
        return True, True
    verb, kind = way.right
    if thing is None:  # it is about what is theirs, whatever that is
        me = frozenset({person.id})
        about = Thing(
            kind, person.tenant_id, student_id=person.id, tutor_ids=me, guardian_ids=me, shown=True
        )
    else:
        about = replace(world.things.get(thing, Thing(kind, person.tenant_id)), kind=kind)
    allowed = bool(may(person, verb, about)) and not (
        way.guardians and person.id not in about.guardian_ids
    )
    return allowed, bool(may(person, "read", about))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def matrix(database_urls: Urls) -> AsyncIterator[Matrix]:
    """Made once: what is refused changes nothing, and what is allowed is at our school."""
    database = await Database.open(database_urls.app, Keyring(MASTER_KEY))
    async with database.control() as connection:
        await connection.execute("DELETE FROM jobs")
    async with migrate.admin(database_urls.admin) as connection:
        schools = [await make_school(database, connection, f"{word} high") for word in WORDS]
    house = House(database)
    ours, theirs = [
        await house.settle(school, word) for school, word in zip(schools, WORDS, strict=True)
    ]
    yield Matrix(house, ours, theirs)
    await house.close()
    await database.close()


def test_every_route_has_its_line() -> None:
    routes = {
        f"{method.upper()} {path.removeprefix(PREFIX)}"
        for path, operations in document(API)["paths"].items()
        for method in operations
    }
    assert routes == set(WAYS)


@together
async def test_nobody_comes_in_without_a_credential(matrix: Matrix) -> None:
    for route, way in WAYS.items():
        for thing in way.of or (None,):
            ids = {**matrix.ours.ids, "draft": NEVER, "unique": "x"}
            answer = await matrix.knock(Knock(route, None, ids, thing), matrix.ours)
            assert answer.status in (way.done if way.public else {401}), (route, answer)


@together
async def test_at_ones_own_school_everything_is_by_right_only(matrix: Matrix) -> None:
    for route, way in WAYS.items():
        for thing in way.of or (None,):
            people = matrix.ours.school.people
            await asyncio.gather(*(_by_right(matrix, route, one, thing) for one in people))


async def _by_right(matrix: Matrix, route: str, person: Person, thing: str | None) -> None:
    way, world = WAYS[route], matrix.ours
    allowed, reads = _allowed(way, person, thing, world)
    ids = {**world.ids, "unique": new_id().hex}
    if "{override}" in route and thing is not None:
        author = person if allowed else world.school.admin  # a draft is its author's alone
        ids["draft"] = await matrix.house.draft(author, world.ids[thing])
    knock = Knock(route, person, ids, thing)
    answer = await matrix.knock(knock, world)
    if allowed:
        assert answer.status in way.done, (str(knock), answer)
        return
    refused = way.refused or (403 if reads else 404)
    assert answer.status == refused, (str(knock), answer)
    if refused == 404 and thing is not None:
        never = await matrix.knock(replace(knock, ids={**ids, thing: NEVER}), world)
        assert _same(never, NEVER, answer, ids[thing]), (str(knock), answer, never)


@together
async def test_of_another_school_nothing_is_there(matrix: Matrix) -> None:
    """Each id that a request holds, one after the other: theirs, and one that never was."""
    before = await _trace(matrix, matrix.theirs)
    for route, way in WAYS.items():
        for name, thing in _crossings(route, way):
            people = matrix.ours.school.people
            await asyncio.gather(*(_across(matrix, route, one, name, thing) for one in people))
    assert await _trace(matrix, matrix.theirs) == before
    assert matrix.asked > 500


async def _across(matrix: Matrix, route: str, person: Person, name: str, thing: str | None) -> None:
    ours = matrix.ours
    mine = {**ours.ids, "unique": new_id().hex, "draft": ours.ids["session override"]}
    away = matrix.theirs.ids["session override" if name == "draft" else name]
    knock = Knock(route, person, {**mine, name: away}, thing)
    there = await matrix.knock(knock, ours)
    never = await matrix.knock(replace(knock, ids={**mine, name: NEVER}), ours)
    assert _same(there, away, never, NEVER), (str(knock), name, there, never)
    listed = f"{{{name}}}" in WAYS[route].query
    taken_away = route.startswith("DELETE ")  # where it is not: what was asked for is so already
    if not (listed or taken_away):
        assert 400 <= there.status < 500, (str(knock), name, there)


def _crossings(route: str, way: Way) -> Iterator[tuple[str, str | None]]:
    for thing in way.of[:1] or (None,):
        for name in sorted(_names(route, way, thing) - {"unique", "slug", "number", "provider"}):
            yield name, thing


def _same(one: Answer, its: str, other: Answer, others: str) -> bool:
    """Two answers that differ in nothing but the id they were asked about."""
    return (one.status, one.text.replace(its, "…")) == (
        other.status,
        other.text.replace(others, "…"),
    )


async def _trace(matrix: Matrix, world: World) -> int:
    """What was ever done at a school: each change leaves a row in its audit log."""
    async with matrix.house.database.transaction(world.school.tenant.id) as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM audit WHERE tenant_id = $1", world.school.tenant.id
            )
        )


# ---- the doors of lessons ----------------------------------------------------------------------


@together
async def test_a_lesson_in_progress_is_gone_on_with_or_followed_by_right_only(
    matrix: Matrix,
) -> None:
    ours, theirs = matrix.ours, matrix.theirs
    live = ours.things["live"]
    for world in (ours, theirs):
        for person in world.school.people:
            token = await matrix.house.token(world, person)
            there = await knock(matrix.house.app, f"session={ours.ids['live']}", token)
            never = await knock(matrix.house.app, f"session={NEVER}", token)
            assert never.status == 404
            rights = [may(person, verb, live) for verb in ("continue", "follow")]
            if any(rights):
                assert there.status == 101, (person.name, there)
            else:
                assert _same(there, ours.ids["live"], never, NEVER), (person.name, there)
    assert (await knock(matrix.house.app, f"session={ours.ids['live']}", None)).status == 401


@together
async def test_lessons_are_taken_by_right_only(matrix: Matrix) -> None:
    app, ours, theirs = matrix.house.app, matrix.ours, matrix.theirs
    for world in (ours, theirs):
        for person in world.school.people:
            token = await matrix.house.token(world, person)
            listed = (await ask(app, "GET", "/v1/models", token)).text
            for secret in (theirs if world is ours else ours).secrets():
                assert secret not in listed
            for name in ("lesson", "lesson slug", "hidden", "hidden slug"):
                lesson = ours.ids[name]
                allowed = may(person, "take", ours.things[name.split(" ")[0]])
                answers = {}
                for model in (lesson, NEVER):
                    chat = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
                    answers[model] = (
                        await knock(app, f"model={model}", token),
                        await ask(app, "GET", f"/v1/models/{model}", token),
                        await ask(
                            app,
                            "POST",
                            "/v1/chat/completions",
                            token,
                            body=json.dumps(chat).encode(),
                        ),
                    )
                for there, never in zip(answers[lesson], answers[NEVER], strict=True):
                    assert never.status == 404
                    if allowed:
                        assert there.status in (101, 200, 429), (person.name, name, there)
                    else:
                        assert _same(there, lesson, never, NEVER), (person.name, name, there)
            assert (f'"{ours.ids["lesson slug"]}"' in listed) == bool(
                may(person, "take", ours.things["lesson"])
            )
