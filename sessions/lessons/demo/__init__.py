"""Four lessons to begin with: every new embedded school has them."""

from importlib.resources import files

from sessions.lessons.plan import Plan, read_plan

SLUGS = (
    "fractions-as-parts",
    "linear-equations",
    "photosynthesis",
    "conversacion-en-espanol",
)


def demo_plan(slug: str) -> Plan:
    """The demo lesson of that name."""
    return read_plan(files(__package__).joinpath(f"{slug}.yaml").read_text(encoding="utf-8"))
