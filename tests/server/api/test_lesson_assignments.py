"""Lessons are assigned over HTTP; students are found to assign them to."""

import pytest

from tenancy.ids import new_id


@pytest.fixture
async def path(offer, school):
    """Where the assignments of a lesson are; it is the student's."""
    lesson = await offer(school, student=school.student)
    return f"/school/lessons/{lesson.lesson_id}/assignments"


async def test_to_everyone_and_back(send, school, path):
    teacher = school.instructor
    made = (await send(teacher, "POST", path, {"everyone": True})).json()
    assert made == {
        "id": made["id"],
        "everyone": True,
        "class": None,
        "student": None,
        "starts_at": None,
        "due_at": None,
    }
    due = {"due_at": "2030-01-01T12:00:00Z"}
    changed = (await send(teacher, "PATCH", f"{path}/{made['id']}", due)).json()
    assert changed == {**made, **due}
    listed = (await send(teacher, "GET", path)).json()["items"]
    assert [one["everyone"] for one in listed] == [True, False]
    assert listed[1]["student"] == {"id": str(school.student.id), "name": school.student.name}
    assert (await send(teacher, "DELETE", f"{path}/{made['id']}")).status_code == 204
    assert len((await send(teacher, "GET", path)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 400, "Say to whom"),
        ({"everyone": True, "class_id": str(new_id())}, 400, "Say to whom"),
        ({"class_id": str(new_id())}, 422, "no such class"),
        ({"student_id": str(new_id())}, 422, "no such student"),
        ({"everyone": "yes"}, 400, "everyone"),
        ({"everyone": True, "starts_at": "soon"}, 400, "starts_at"),
        ({"everyone": True, "who": 1}, 400, "who"),
        (
            {
                "everyone": True,
                "starts_at": "2030-01-02T00:00:00Z",
                "due_at": "2030-01-01T00:00:00Z",
            },
            422,
            "before it begins",
        ),
    ],
)
async def test_what_can_not_be_is_refused(send, school, path, problem, body, status, says):
    assert says in problem(await send(school.admin, "POST", path, body), status)
    assert len((await send(school.admin, "GET", path)).json()["items"]) == 1


async def test_who_has_it_already_gets_no_second_one(send, school, path, problem):
    body = {"student_id": str(school.student.id)}
    assert "already" in problem(await send(school.admin, "POST", path, body), 409)


async def test_it_is_for_teachers_of_the_school(send, school, other_school, path, problem):
    for person in (school.student, school.tutor, school.parent):
        problem(await send(person, "GET", path), 403)
        problem(await send(person, "POST", path, {"everyone": True}), 403)
    never = f"/school/lessons/{new_id()}/assignments"
    missing = await send(other_school.admin, "GET", never)
    theirs = await send(other_school.admin, "GET", path)
    assert (theirs.status_code, theirs.content) == (404, missing.content)
    problem(await send(school.admin, "GET", "/school/lessons/x/assignments"), 404)
    problem(await send(school.admin, "DELETE", f"{path}/{new_id()}"), 404)
    problem(await send(school.admin, "PATCH", f"{path}/x", {"due_at": None}), 404)


async def test_students_are_found_by_name(send, school, other_school, problem):
    found = (await send(school.instructor, "GET", "/school/students")).json()
    assert found["items"] == [
        {"id": str(school.student.id), "name": school.student.name, "classes": []}
    ]
    for search, count in (("student OF", 1), ("tutor", 0), (other_school.student.name, 0)):
        answer = await send(school.tutor, "GET", "/school/students", search=search)
        assert len(answer.json()["items"]) == count
    problem(await send(school.student, "GET", "/school/students"), 403)
