"""What the school's office decides, over HTTP, and what it changes."""

from tenancy import care


async def test_the_office_decides_who_reads_what(office, school, other_school, database):
    admin = school.admin
    begun = (await office(admin, "GET", "/settings")).json()
    assert begun == {"tutors_read": "assigned", "parents_read": "reviewed", "rules": ""}
    change = {"tutors_read": "school", "rules": " Say Sie.\r\n"}
    changed = (await office(admin, "PATCH", "/settings", change)).json()
    assert changed == {"tutors_read": "school", "parents_read": "reviewed", "rules": "Say Sie."}
    assert await care.whose(database, school.tutor, "session") is None
    assert (await office(admin, "GET", "/settings")).json() == changed
    assert (await office(admin, "PATCH", "/settings", {})).json() == changed
    assert (await office(other_school.admin, "GET", "/settings")).json() == begun


async def test_only_the_office_decides_and_only_this(office, school, problem):
    for person in (school.student, school.instructor, school.tutor, school.parent):
        problem(await office(person, "GET", "/settings"), 403)
        problem(await office(person, "PATCH", "/settings", {"rules": "x"}), 403)
    for body in (
        {"tutors_read": "all"},
        {"parents_read": True},
        {"rules": "x" * 4_001},
        {"rules": ["x"]},
        {"rules": "a\x07"},
        {"retention": 1},
    ):
        problem(await office(school.admin, "PATCH", "/settings", body), 400)
    assert (await office(school.admin, "GET", "/settings")).json()["rules"] == ""
