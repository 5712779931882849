"""Classes over HTTP."""

from tenancy.ids import new_id


async def test_a_class_is_made_filled_renamed_and_archived(office, school):
    admin = school.admin
    made = (await office(admin, "POST", "/classes", {"name": " Class   4b "})).json()
    assert made == {
        "id": made["id"],
        "name": "Class 4b",
        "students": 0,
        "instructors": 0,
        "archived": False,
        "members": [],
    }
    path = f"/classes/{made['id']}"
    for person in (school.student, school.instructor):
        filled = await office(admin, "PUT", f"{path}/members/{person.id}", {})
    assert [(one["name"], one["role"]) for one in filled.json()["members"]] == [
        (school.instructor.name, "instructor"),
        (school.student.name, "student"),
    ]
    assert (filled.json()["students"], filled.json()["instructors"]) == (1, 1)
    renamed = (await office(admin, "PATCH", path, {"name": "4b", "archived": True})).json()
    assert (renamed["name"], renamed["archived"]) == ("4b", True)
    emptied = await office(admin, "DELETE", f"{path}/members/{school.student.id}", {})
    assert emptied.json()["students"] == 0
    assert (await office(admin, "GET", "/classes?archived=false")).json()["items"] == []
    for reader in (school.instructor, admin):
        assert (await office(reader, "GET", path)).json()["name"] == "4b"


async def test_pages_go_on(office, school, problem):
    for name in "CAB":
        await office(school.admin, "POST", "/classes", {"name": name})
    first = (await office(school.admin, "GET", "/classes?limit=2")).json()
    assert [one["name"] for one in first["items"]] == ["A", "B"]
    cursor = first["next_cursor"]
    rest = (await office(school.admin, "GET", "/classes", limit=2, cursor=cursor)).json()
    assert ([one["name"] for one in rest["items"]], rest["next_cursor"]) == (["C"], None)
    problem(await office(school.admin, "GET", "/classes", archived=True, cursor=cursor), 400)


async def test_classes_are_seen_by_teachers_and_managed_by_the_office(
    office, school, other_school, problem
):
    made = (await office(school.admin, "POST", "/classes", {"name": "4b"})).json()
    path, member = f"/classes/{made['id']}", f"/classes/{made['id']}/members/{school.student.id}"
    for person in (school.student, school.tutor, school.parent):
        problem(await office(person, "GET", "/classes"), 403)
        problem(await office(person, "GET", path), 403)
    changes = (
        ("PATCH", path, {"name": "X"}),
        ("PUT", member, {}),
        ("DELETE", member, {}),
    )
    for method, address, body in changes:
        problem(await office(school.instructor, method, address, body), 403)
        theirs = problem(await office(other_school.admin, method, address, body), 404)
        never = address.replace(made["id"], str(new_id()))
        assert problem(await office(school.admin, method, never, body), 404) == theirs
    problem(await office(other_school.admin, "GET", path), 404)
    problem(await office(school.instructor, "POST", "/classes", {"name": "X"}), 403)
    assert (await office(other_school.admin, "GET", "/classes")).json()["items"] == []


async def test_what_can_not_be_is_refused(office, school, other_school, problem):
    admin = school.admin
    made = (await office(admin, "POST", "/classes", {"name": "4b"})).json()
    path = f"/classes/{made['id']}"
    assert "“4b” already" in problem(await office(admin, "POST", "/classes", {"name": "4B"}), 409)
    for body in ({"name": ""}, {"name": "x" * 81}, {"name": None}, {}, {"names": "x"}):
        problem(await office(admin, "POST", "/classes", body), 400)
    problem(await office(admin, "PUT", f"{path}/members/{school.parent.id}", {}), 422)
    wrong = {"role": "instructor"}
    problem(await office(admin, "PUT", f"{path}/members/{school.student.id}", wrong), 422)
    problem(await office(admin, "PUT", f"{path}/members/{other_school.student.id}", {}), 404)
    problem(await office(admin, "PUT", f"{path}/members/x", {}), 404)
