"""The audit log over HTTP."""


async def test_the_log_is_the_offices_alone(office, school, other_school, problem):
    for person in (school.student, school.instructor, school.tutor, school.parent):
        problem(await office(person, "GET", "/audit"), 403)
    await office(school.admin, "POST", "/classes", {"name": "4b"})
    ours = (await office(school.admin, "GET", "/audit")).json()["items"]
    assert (ours[0]["verb"], ours[0]["thing"], ours[0]["actor"]["name"]) == (
        "create",
        "class",
        school.admin.name,
    )
    theirs = (await office(other_school.admin, "GET", "/audit", thing="class")).json()
    assert theirs == {"items": [], "next_cursor": None}


async def test_it_goes_on_page_by_page_and_is_filtered(office, school, problem):
    for name in "abc":
        await office(school.admin, "POST", "/classes", {"name": name})
    first = (await office(school.admin, "GET", "/audit", thing="class", limit=2)).json()
    cursor = first["next_cursor"]
    rest = await office(school.admin, "GET", "/audit", thing="class", limit=2, cursor=cursor)
    assert len(rest.json()["items"]) == 1 and rest.json()["next_cursor"] is None
    at = first["items"][1]["at"]
    for query, count in (
        ({"from": at, "thing": "class"}, 2),
        ({"to": at, "thing": "class"}, 1),
        ({"actor": str(school.admin.id), "verb": "create"}, 3),
        ({"actor": str(school.tutor.id)}, 0),
    ):
        found = (await office(school.admin, "GET", "/audit", **query)).json()["items"]
        assert len(found) == count, query
    for query in ({"verb": "DROP TABLE"}, {"from": "then"}, {"actor": "me"}, {"cursor": cursor}):
        problem(await office(school.admin, "GET", "/audit", **query), 400)
