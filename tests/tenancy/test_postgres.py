"""Transactions in a school's cell, and what keeps schools apart."""


async def test_a_school_sees_its_own_people_and_no_others(database, school, other_school):
    async with database.transaction(school.tenant.id) as connection:
        rows = await connection.fetch("SELECT id FROM people")
    assert {row["id"] for row in rows} == {person.id for person in school.people}
