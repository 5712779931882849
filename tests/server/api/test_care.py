"""Which tutor looks after which student, over HTTP."""

from tenancy import care
from tenancy.ids import new_id


async def test_care_begins_pauses_and_ends(office, school, database):
    admin = school.admin
    (first,) = (await office(admin, "GET", "/assignments")).json()["items"]
    assert first["tutor"]["id"] == str(school.tutor.id)
    assert (first["student"]["name"], first["subject"]) == (school.student.name, None)
    path = f"/assignments/{first['id']}"
    paused = (await office(admin, "PATCH", path, {"status": "paused"})).json()
    assert paused["status"] == "paused"
    assert await care.whose(database, school.tutor, "session") == {school.tutor.id}
    dated = {"status": "active", "ends_at": "2099-01-01T00:00:00", "subject": " Maths "}
    dated = (await office(admin, "PATCH", path, dated)).json()
    assert (dated["ends_at"], dated["subject"]) == ("2099-01-01T00:00:00Z", "Maths")
    cleared = (await office(admin, "PATCH", path, {"ends_at": None})).json()
    assert (cleared["ends_at"], cleared["subject"]) == (None, "Maths")
    done = (await office(admin, "PATCH", path, {"status": "completed"})).json()
    assert done["status"] == "completed" and done["ends_at"] is not None
    pair = {"tutor_id": str(school.tutor.id), "student_id": str(school.student.id)}
    again = (await office(admin, "POST", "/assignments", pair)).json()
    listed = (await office(admin, "GET", "/assignments?status=active")).json()["items"]
    assert listed == [again]
    by_student = await office(admin, "GET", "/assignments", order="student", limit=1)
    cursor = by_student.json()["next_cursor"]
    rest = await office(admin, "GET", "/assignments", order="student", limit=1, cursor=cursor)
    assert len(rest.json()["items"]) == 1 and rest.json()["next_cursor"] is None


async def test_only_the_office_says_who_looks_after_whom(office, school, other_school, problem):
    (first,) = (await office(school.admin, "GET", "/assignments")).json()["items"]
    path = f"/assignments/{first['id']}"
    pair = {"tutor_id": str(school.tutor.id), "student_id": str(school.student.id)}
    for person in (school.student, school.instructor, school.tutor, school.parent):
        problem(await office(person, "GET", "/assignments"), 403)
        problem(await office(person, "POST", "/assignments", pair), 403)
        problem(await office(person, "PATCH", path, {"status": "paused"}), 403)
    theirs = problem(await office(other_school.admin, "PATCH", path, {"status": "paused"}), 404)
    never = await office(school.admin, "PATCH", f"/assignments/{new_id()}", {"status": "paused"})
    assert problem(never, 404) == theirs
    problem(await office(other_school.admin, "POST", "/assignments", pair), 404)
    found = await office(other_school.admin, "GET", "/assignments", tutor=school.tutor.id)
    assert found.json()["items"] == []


async def test_what_can_not_be_is_refused(office, school, problem):
    admin = school.admin
    pair = {"tutor_id": str(school.tutor.id), "student_id": str(school.student.id)}
    assert "already" in problem(await office(admin, "POST", "/assignments", pair), 409)
    turned = {"tutor_id": pair["student_id"], "student_id": pair["tutor_id"]}
    assert "has not the role" in problem(await office(admin, "POST", "/assignments", turned), 422)
    for more in (
        {"ends_at": "yesterday"},
        {"starts_at": "0001-01-01T00:00:00+23:00"},
        {"subject": ""},
        {"notes": "x"},
    ):
        problem(await office(admin, "POST", "/assignments", {**pair, **more}), 400)
    past = {**pair, "subject": "x", "ends_at": "2001-01-01T00:00:00Z"}
    assert "before it begins" in problem(await office(admin, "POST", "/assignments", past), 422)
    problem(await office(admin, "PATCH", f"/assignments/{new_id()}", {"status": "gone"}), 400)
    problem(await office(admin, "PATCH", "/assignments/7", {"status": "paused"}), 404)
