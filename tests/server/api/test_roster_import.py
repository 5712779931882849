"""Importing a roster over HTTP."""

import pytest

HEADER = b"name,email,role,class\n"
FILE = HEADER + "Zoë,zoe@q.example,student,4b\nPat,pat@q.example,parent,\n".encode()


async def test_a_file_is_tried_then_imported_and_passwords_are_shown_once(office, school):
    tried = (await office(school.admin, "POST", "/people/import", FILE)).json()
    assert tried == {
        "rows": 2,
        "create": 2,
        "update": 0,
        "unchanged": 0,
        "new_classes": ["4b"],
        "problems": [],
        "more_problems": 0,
        "created": [],
    }
    done = await office(school.admin, "POST", "/people/import", FILE, dry_run="false")
    zoe, _ = done.json()["created"]
    assert (zoe["name"], zoe["email"]) == ("Zoë", "zoe@q.example")
    body = {"school": school.tenant.slug, "email": zoe["email"], "password": zoe["password"]}
    assert (await office(school.admin, "POST", "/sign-in", body)).status_code == 200
    again = (await office(school.admin, "POST", "/people/import", FILE, dry_run="false")).json()
    assert (again["unchanged"], again["created"]) == (2, [])


async def test_two_hundred_problems_are_listed_and_the_rest_is_counted(office, school):
    data = HEADER + b"".join(b"Zoe,no address,god,4b\n" for _ in range(150))
    for dry_run in ("true", "false"):
        answer = await office(school.admin, "POST", "/people/import", data, dry_run=dry_run)
        told = answer.json()
        assert (len(told["problems"]), told["more_problems"]) == (200, 100)
        assert told["problems"][0] == {
            "line": 2,
            "column": "email",
            "sentence": "It is not an e-mail address; write one like name@school.example.",
        }
    assert len((await office(school.admin, "GET", "/people")).json()["items"]) == 5


@pytest.mark.parametrize(
    ("data", "status", "word"),
    [
        (b"", 422, "empty"),
        (HEADER.decode().encode("utf-16"), 422, "UTF-16"),
        (HEADER + "Zoë,z@q.example,student,".encode("latin-1"), 422, "Line 2"),
        (b"a@b.example\n" * 50_000, 422, "5,000 lines"),
        (b"x" * (1 << 20) + b"y", 413, "1 MiB"),
    ],
)
async def test_what_is_no_roster_is_refused_in_a_sentence(
    office, school, problem, data, status, word
):
    for dry_run in ("true", "false"):
        answer = await office(school.admin, "POST", "/people/import", data, dry_run=dry_run)
        assert word in problem(answer, status)


async def test_only_the_office_imports(office, school, other_school, problem):
    for person in (school.student, school.instructor, school.tutor, school.parent):
        problem(await office(person, "POST", "/people/import", FILE), 403)
    await office(other_school.admin, "POST", "/people/import", FILE, dry_run="false")
    assert len((await office(school.admin, "GET", "/people")).json()["items"]) == 5
    problem(await office(school.admin, "POST", "/people/import", FILE, dry_run="maybe"), 400)
