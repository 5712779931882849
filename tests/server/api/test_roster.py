"""The people of a school over HTTP."""

import pytest

from tenancy.ids import new_id


def rows(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_an_account_from_its_making_to_its_end(office, school):
    admin = school.admin
    klass = (await office(admin, "POST", "/classes", {"name": "4b"})).json()
    body = {
        "name": " Zoë   Quince ",
        "email": "Zoe@Quince.example",
        "roles": ["student"],
        "grade_level": "4",
        "class_ids": [klass["id"]],
    }
    made = (await office(admin, "POST", "/people", body)).json()
    zoe, password = made["person"], made["password"]
    assert (zoe["name"], zoe["email"], zoe["roles"]) == (
        "Zoë Quince",
        "zoe@quince.example",
        ["student"],
    )
    assert zoe["classes"] == [{"id": klass["id"], "name": "4b"}]
    assert zoe["last_seen_at"] is None and len(password) == 14
    sign_in = {"email": zoe["email"], "password": password, "school": school.tenant.slug}
    assert (await office(admin, "POST", "/sign-in", sign_in)).status_code == 200

    path = f"/people/{zoe['id']}"
    changed = (await office(admin, "PATCH", path, {"roles": ["tutor", "parent"]})).json()
    assert (changed["roles"], changed["name"]) == (["tutor", "parent"], "Zoë Quince")
    off = (await office(admin, "POST", f"{path}/deactivate", {})).json()
    assert off["status"] == "deactivated"
    assert (await office(admin, "POST", "/sign-in", sign_in)).status_code == 401
    assert [
        row["id"] for row in rows(await office(admin, "GET", "/people?status=deactivated"))
    ] == [zoe["id"]]
    assert (await office(admin, "POST", f"{path}/activate")).json()["status"] == "active"
    other = (await office(admin, "POST", f"{path}/reset-password")).json()["password"]
    sign_in["password"] = other
    assert other != password
    assert (await office(admin, "POST", "/sign-in", sign_in)).status_code == 200

    noted = rows(await office(admin, "GET", "/audit?thing=person&verb=change"))
    assert noted[0]["detail"] == {"roles": {"was": ["student"], "now": ["parent", "tutor"]}}
    assert (noted[0]["actor"]["id"], noted[0]["address"]) == (str(admin.id), "203.0.113.20")
    log = rows(await office(admin, "GET", "/audit?limit=200"))
    told = str([{**entry, "actor": None, "about": None} for entry in log])
    for secret in ("Quince", "quince", password, other):
        assert secret not in told


async def test_lists_are_for_those_who_may(office, school, other_school, problem):
    for person, count in ((school.admin, 5), (school.instructor, 5), (school.tutor, 2)):
        assert len(rows(await office(person, "GET", "/people"))) == count
    for person in (school.student, school.parent):
        assert "for its staff" in problem(await office(person, "GET", "/people"), 403)
    found = rows(await office(school.tutor, "GET", "/people", role="student"))
    assert [row["id"] for row in found] == [str(school.student.id)]
    assert rows(await office(school.tutor, "GET", "/people", role="admin")) == []


async def test_pages_go_on_for_the_same_person_and_filters_only(office, school, problem):
    first = (await office(school.admin, "GET", "/people", limit=3, search="of")).json()
    cursor = first["next_cursor"]
    second = await office(school.admin, "GET", "/people", limit=3, search="of", cursor=cursor)
    assert len(rows(second)) == 2 and second.json()["next_cursor"] is None
    for person, query in (
        (school.instructor, {"search": "of"}),
        (school.admin, {}),
        (school.admin, {"search": "of", "role": "tutor"}),
    ):
        problem(await office(person, "GET", "/people", cursor=cursor, **query), 400)


async def test_an_account_is_ones_own_or_the_offices(office, school, other_school, problem):
    for person in school.people:
        mine = (await office(person, "GET", f"/people/{person.id}")).json()
        assert mine["email"] == person.email
    shown = (await office(school.admin, "GET", f"/people/{school.student.id}")).json()
    assert shown["guardians"] == [{"id": str(school.parent.id), "name": school.parent.name}]
    assert shown["tutors"] == [{"id": str(school.tutor.id), "name": school.tutor.name}]
    sentences = set()
    for person, path in (
        (school.tutor, school.student.id),
        (school.parent, school.student.id),
        (school.admin, other_school.student.id),
        (school.admin, new_id()),
        (school.admin, "no-id"),
    ):
        sentences.add(problem(await office(person, "GET", f"/people/{path}"), 404))
    assert len(sentences) == 1


async def test_only_the_office_manages(office, school, other_school, problem):
    student = school.student.id
    new = {"name": "X", "email": "x@y.example", "roles": ["admin"]}
    requests = [
        ("POST", "/people", new),
        ("PATCH", f"/people/{student}", {"name": "X"}),
        ("POST", f"/people/{student}/deactivate", None),
        ("POST", f"/people/{student}/activate", None),
        ("POST", f"/people/{student}/reset-password", None),
        ("PUT", f"/people/{school.parent.id}/children/{student}", {}),
        ("DELETE", f"/people/{school.parent.id}/children/{student}", {}),
    ]
    for method, path, body in requests:
        for person in (school.student, school.instructor, school.tutor, school.parent):
            assert "school office" in problem(await office(person, method, path, body), 403)
    for method, path, body in requests[1:]:
        problem(await office(other_school.admin, method, path, body), 404)
    kept = (await office(school.admin, "GET", f"/people/{student}")).json()
    assert (kept["name"], kept["status"]) == (school.student.name, "active")
    assert kept["guardians"] != []


async def test_guardians_come_and_go(office, school, problem):
    admin, parent, student = school.admin, school.parent.id, school.student.id
    path = f"/people/{parent}/children/{student}"
    assert (await office(admin, "DELETE", path, {})).status_code == 204
    problem(await office(admin, "DELETE", path, {}), 404)
    for _ in range(2):
        assert (await office(admin, "PUT", path, {})).status_code == 204
    assert (await office(admin, "GET", f"/people/{parent}")).json()["children"] != []
    unfit = await office(admin, "PUT", f"/people/{school.tutor.id}/children/{student}", {})
    assert "has not the role parent" in problem(unfit, 422)


async def test_a_school_keeps_somebody_who_runs_it(office, school, problem):
    path = f"/people/{school.admin.id}"
    for method, address, body in (
        ("PATCH", path, {"roles": ["tutor"]}),
        ("POST", f"{path}/deactivate", None),
    ):
        answer = await office(school.admin, method, address, body)
        assert "only administrator" in problem(answer, 409)
        assert answer.json()["code"] == "last_admin"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": ""}, "empty"),
        ({"name": "x" * 121}, "longer than 120"),
        ({"name": "a\u202eb"}, "U+202E"),
        ({"email": "no address"}, "not an e-mail address"),
        ({"email": "x" * 500}, "at most 400"),
        ({"roles": []}, "at least 1"),
        ({"roles": ["god"]}, "roles.0"),
        ({"roles": "admin"}, "array"),
        ({"class_ids": ["7"]}, "class_ids.0"),
        ({"class_ids": ["00000000-0000-7000-8000-000000000000"] * 51}, "at most 50"),
        ({"grade_level": None}, "string"),
        ({"password": "chosen"}, "no field"),
        ({"id": "7"}, "no field"),
    ],
)
async def test_what_can_not_be_is_refused_in_a_sentence(office, school, problem, change, word):
    body = {"name": "Zoë", "email": "zoe@quince.example", "roles": ["student"], **change}
    assert word in problem(await office(school.admin, "POST", "/people", body), 400)
    assert len(rows(await office(school.admin, "GET", "/people"))) == 5


async def test_an_address_that_somebody_has_is_told(office, school, problem):
    body = {"name": "Zoë", "email": school.tutor.email.upper(), "roles": ["student"]}
    for request in (("POST", "/people"), ("PATCH", f"/people/{school.student.id}")):
        taken = await office(school.admin, *request, body if request[0] == "POST" else body | {})
        assert school.tutor.email in problem(taken, 409)
        assert taken.json()["code"] == "email_taken"
