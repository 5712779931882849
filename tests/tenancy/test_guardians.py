"""Whose parent somebody is."""

from typing import Any

import pytest

from tenancy import care, guardians
from tenancy.audit import By
from tenancy.errors import NotThere, Unfit
from tenancy.ids import new_id
from tenancy.postgres import Database


async def test_a_bond_is_made_and_taken_back_once(database: Database, school: Any) -> None:
    tenant_id, parent, student = school.tenant.id, school.parent.id, school.student.id
    assert await guardians.remove(database, tenant_id, parent, student, by=By())
    assert not await guardians.remove(database, tenant_id, parent, student, by=By())
    assert await care.children_of(database, school.parent) == []
    for _ in range(2):
        await guardians.put(database, tenant_id, parent, student, by=By(school.admin.id))
    assert [child.id for child in await care.children_of(database, school.parent)] == [student]
    async with database.transaction(tenant_id) as connection:
        noted = await connection.fetch(
            "SELECT verb, actor FROM audit WHERE tenant_id = $1 AND thing = 'guardian'"
            " ORDER BY seq",
            tenant_id,
        )
    assert [tuple(row) for row in noted] == [("remove", None), ("add", school.admin.id)]


async def test_only_parents_have_children(
    database: Database, school: Any, other_school: Any
) -> None:
    tenant_id = school.tenant.id
    for parent, student in (
        (school.tutor.id, school.student.id),
        (school.parent.id, school.tutor.id),
        (school.parent.id, school.parent.id),
    ):
        with pytest.raises(Unfit):
            await guardians.put(database, tenant_id, parent, student, by=By())
    for parent, student in (
        (school.parent.id, other_school.student.id),
        (other_school.parent.id, school.student.id),
        (new_id(), school.student.id),
    ):
        with pytest.raises(NotThere):
            await guardians.put(database, tenant_id, parent, student, by=By())
