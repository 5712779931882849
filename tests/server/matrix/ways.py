"""How to knock at each route of the API, and with what right it opens.

A route of `server.app.API` that has no line here fails the tests: whoever adds one says here who
may use it, in the words of `tenancy.policy`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SESSIONS = ("session", "unreviewed", "strangers")
DONE = frozenset({200, 201, 202, 204})


@dataclass(frozen=True, kw_only=True)
class Way:
    """One route. `{names}` in paths, queries and bodies are names of a world's things."""

    right: tuple[str, str] | None = None
    "Verb and kind; None: everybody who is signed in may, for themselves."
    of: tuple[str, ...] = ()
    "Names of what the path's `{id}` is tried with; none: the route is about nothing in particular."
    also: Mapping[str, str] = field(default_factory=dict)
    "The path's other parameters."
    query: str = ""
    body: Any = None
    media: str = "application/json"
    refused: int | None = None
    "None: 403 where the caller may read the thing, else 404, as if it were not there."
    done: frozenset[int] = DONE
    "What says that the caller may; a reason of another kind to refuse it is one of them."
    public: bool = False
    guardians: bool = False
    "It is for those whose child it is about, and for nobody else."
    own_token: bool = False
    "It ends the credential it is called with."


def of_session(verb: str, kind: str, **more: Any) -> Way:
    return Way(right=(verb, kind), of=SESSIONS, **more)


def office(kind: str, *of: str, **more: Any) -> Way:
    """The school office's: nobody else may know whether there is such a thing."""
    return Way(right=("manage", kind), of=of, refused=403, **more)


def author(verb: str, *of: str, **more: Any) -> Way:
    """The teachers' own: nobody else may know whether there is such a lesson."""
    return Way(right=(verb, "lesson"), of=of, refused=403, **more)


PERSON = {"name": "Made {unique}", "email": "{unique}@made.example", "roles": ["student"]}
OVERRIDE = {
    "target": {"kind": "words", "id": "item_2"},
    "new": {"text": "one half"},
    "reasons": ["asr_misheard"],
}
CONFLICTS = DONE | {409}
GONE = DONE | {404}
"For what the first who may takes away."

WAYS: dict[str, Way] = {
    # ---- signing in, one's own account
    "GET /school": Way(public=True),
    "POST /sign-in": Way(
        public=True,
        body={"school": "{slug}", "email": "nobody@x.example", "password": "x"},
        done=frozenset({401, 429}),
    ),
    "POST /sign-out": Way(own_token=True),
    "GET /me": Way(right=("read", "person")),
    "PATCH /me": Way(right=("change", "person"), body={"preferences": {}}),
    "POST /me/password": Way(
        right=("change", "person"),
        body={"current": "not this one", "new": "three quiet green apples"},
        done=frozenset({400, 429}),
    ),
    # ---- lessons as their takers see them
    "GET /lessons": Way(),
    "GET /lessons/{id}": Way(right=("take", "lesson"), of=("lesson", "hidden"), refused=404),
    # ---- whom lessons are assigned to
    "GET /school/students": Way(right=("list", "person"), refused=403),
    "GET /school/lessons/{id}/assignments": author("assign", "lesson", "hidden"),
    "POST /school/lessons/{id}/assignments": author(
        "assign", "lesson", body={"everyone": True}, done=CONFLICTS
    ),
    "PATCH /school/lessons/{id}/assignments/{assignment}": author(
        "assign", "hidden", also={"assignment": "given"}, body={"due_at": None}, done=GONE
    ),
    "DELETE /school/lessons/{id}/assignments/{assignment}": author(
        "assign", "hidden", also={"assignment": "given"}, done=GONE
    ),
    # ---- lessons as their authors see them
    "GET /school/lessons": author("write"),
    "POST /school/lessons": author("write", body={"copy_of": "{lesson}"}),
    "GET /school/templates": author("write"),
    "GET /school/plan-schema": author("write"),
    "GET /school/lessons/{id}": author("write", "lesson"),
    "GET /school/lessons/{id}/draft": author("write", "lesson"),
    "PATCH /school/lessons/{id}/draft": author(
        "write", "lesson", body={"path": "goal", "was": None, "now": "x"}, done=CONFLICTS
    ),
    "GET /school/lessons/{id}/draft/check": author("write", "lesson"),
    "POST /school/lessons/{id}/draft/reset": author("write", "lesson", body={"number": 1}),
    "POST /school/lessons/{id}/publish": author(
        "publish", "lesson", body={"revision": 1, "note": ""}, done=CONFLICTS
    ),
    "POST /school/lessons/{id}/try": author("try", "lesson", body={"mode": "text"}),
    "GET /school/lessons/{id}/versions": author("write", "lesson"),
    "GET /school/lessons/{id}/versions/{number}": author(
        "write", "lesson", also={"number": "number"}
    ),
    "GET /school/lessons/{id}/compare": author("write", "lesson", query="left=1"),
    "GET /school/lessons/{id}/export": author("write", "lesson"),
    "POST /school/lessons/{id}/roll-back": author("publish", "lesson", body={"number": 1}),
    "POST /school/lessons/{id}/archive": author("publish", "hidden"),
    "POST /school/lessons/{id}/restore": author("publish", "hidden"),
    # ---- sessions
    "GET /sessions": Way(right=("list", "session"), refused=403),
    "GET /sessions/export": Way(right=("list", "session"), refused=403),
    "GET /sessions/{id}": of_session("read", "session"),
    "GET /sessions/{id}/export": of_session("export", "session"),
    "GET /sessions/{id}/neighbours": of_session("read", "session"),
    "GET /sessions/{id}/transcript": of_session("read", "transcript"),
    "GET /sessions/{id}/brief": of_session("read", "brief"),
    "GET /sessions/{id}/summary": of_session("read", "summary"),
    "POST /sessions/{id}/summary/renew": of_session("renew", "summary", done=CONFLICTS),
    "GET /sessions/{id}/usage": of_session("read", "usage"),
    "POST /sessions/{id}/review": Way(
        right=("review", "session"), of=("session", "strangers"), body={"reviewed": True}
    ),
    "PUT /sessions/{id}/feedback": of_session("rate", "session", body={"helpful": True}),
    # ---- corrections
    "GET /reasons": Way(),
    "GET /sessions/{id}/overrides": of_session("read", "override"),
    "POST /sessions/{id}/overrides": of_session(
        "write", "override", body={**OVERRIDE, "replaces": None}
    ),
    "PATCH /sessions/{id}/overrides/{override}": of_session(
        "write", "override", also={"override": "draft"}, body={"note": "Mine"}
    ),
    "DELETE /sessions/{id}/overrides/{override}": of_session(
        "write", "override", also={"override": "draft"}
    ),
    "POST /sessions/{id}/overrides/{override}/publish": of_session(
        "write", "override", also={"override": "draft"}, done=CONFLICTS
    ),
    # ---- families
    "GET /children": Way(right=("list", "summary"), of=("somebody's",), refused=403),
    "GET /children/{id}/sessions": Way(
        right=("read", "summary"), of=("student", "stranger"), refused=404, guardians=True
    ),
    # ---- news
    "GET /events": Way(),
    # ---- the school office
    "GET /people": Way(right=("list", "person"), refused=403, query="class={class}"),
    "POST /people": office("person", body={**PERSON, "class_ids": ["{class}"]}),
    "POST /people/import": office(
        "person", query="dry_run=false", body=b"name,email,roles\n", media="text/csv"
    ),
    "GET /people/{id}": Way(right=("read", "person"), of=("student", "stranger"), refused=404),
    "PATCH /people/{id}": office("person", "spare", body={"grade_level": "5"}),
    "POST /people/{id}/deactivate": office("person", "spare"),
    "POST /people/{id}/activate": office("person", "spare"),
    "POST /people/{id}/reset-password": office("person", "spare"),
    "PUT /people/{id}/children/{student_id}": office(
        "person", "other", also={"student_id": "student"}
    ),
    "DELETE /people/{id}/children/{student_id}": office(
        "person", "other", also={"student_id": "student"}
    ),
    "GET /classes": Way(right=("list", "class"), refused=403),
    "POST /classes": office("class", body={"name": "Class {unique}"}),
    "GET /classes/{id}": Way(right=("list", "class"), of=("class",), refused=403),
    "PATCH /classes/{id}": office("class", "class", body={"archived": False}),
    "PUT /classes/{id}/members/{person_id}": office(
        "class", "class", also={"person_id": "spare"}, body={"role": "student"}
    ),
    "DELETE /classes/{id}/members/{person_id}": office(
        "class", "class", also={"person_id": "spare"}
    ),
    "GET /assignments": office("assignment", query="tutor={tutor}&student={student}"),
    "POST /assignments": office(
        "assignment", body={"tutor_id": "{tutor}", "student_id": "{spare}"}, done=CONFLICTS
    ),
    "PATCH /assignments/{id}": office("assignment", "care", body={"status": "active"}),
    "GET /settings": office("setting"),
    "PATCH /settings": office("setting", body={"tutors_read": "assigned"}),
    "GET /school/engines": office("engine"),
    "PATCH /school/engines": office("engine", body={"nova_voice": "amy"}),
    "PUT /school/engines/keys/{provider}": office(
        "engine", also={"provider": "provider"}, body={"api_key": "sk-a-key-of-this-test"}
    ),
    "DELETE /school/engines/keys/{provider}": office(
        "engine", also={"provider": "provider"}, done=GONE
    ),
    "POST /school/engines/check": office("engine"),
    "GET /school/usage": Way(right=("list", "usage"), refused=403, query="month=2026-11"),
    "GET /school/limits": office("setting"),
    "PATCH /school/limits": office("setting", body={"price_factor_permille": 1000}),
    "GET /audit": Way(right=("read", "audit"), refused=403, query="actor={admin}"),
}
