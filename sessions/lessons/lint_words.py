"""Words that the rules of `lint` look for, in English and Spanish: both are looked for always,
because a language lesson speaks two. Texts come in small letters, with plain apostrophes.

What stands in quotation marks is an example, not something the tutor says of itself or asks.
"""

import re

_QUOTED = re.compile(r"“[^”]*”|«[^»]*»|\"[^\"]*\"|‘[^’]*’|(?<!\w)'[^']*'(?!\w)")


def unquoted(text: str) -> str:
    """The text without what it quotes."""
    return _QUOTED.sub(" ", text)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


SECOND_QUESTION = _any(
    r"\b(?:and|or) (?:what|why|how|which|who|where|when)\b",
    r"\b(?:y|o) (?:qué|por qué|cómo|cuál|cuáles|quién|dónde|cuándo|cuánto|cuántos|cuántas)\b",
)

_TELL = (
    r"\b(?:what(?:'s| is| are)|tell (?:me|us)|give (?:me|us)|share|write|say|type|send|spell"
    r"|ask (?:the student )?for)\b[^.?!]{0,40}"
)
_DATA = (
    r"(?:last name|surname|family name|full name|address|phone|telephone|mobile number|cell"
    r"|e-?mail|password|birthday|date of birth|birth date|school's name|religion|photo|picture of"
    r" yourself|parents' names?|(?:mother|father|mum|mom|dad)'s name|instagram|whatsapp|snapchat)"
)
_DIME = (
    r"\b(?:cuál es|cuáles son|dime|dinos|dame|escribe|envía|envíame|manda|di|comparte|pide)\b"
    r"[^.?!]{0,40}"
)
_DATOS = (
    r"(?:apellidos?|nombre completo|dirección|domicilio|teléfono|número de teléfono|móvil|celular"
    r"|correo|e-?mail|contraseña|fecha de nacimiento|cumpleaños|religión|foto|instagram|whatsapp)"
)
PERSONAL = _any(
    _TELL + r"\b(?:your|their|his or her)\s+(?:own |full |home |real |whole )?" + _DATA + r"\b",
    r"\bwhere (?:do|does) you(?:r family)? live\b",
    r"\b(?:when|where) were you born\b",
    r"\bwhen is your birthday\b",
    r"\bwhich school do you go to\b",
    r"\bhow (?:can|do) (?:i|we) (?:reach|contact|call) you\b",
    r"\b(?:send|show|upload) (?:me |us )?(?:a |your )?(?:photo|picture|selfie) of you(?:rself)?\b",
    _DIME + r"\b(?:tu|tus|su|sus)\s+" + _DATOS + r"\b",
    r"\bd[óo]nde vives\b",
    r"\bcu[áa]ndo naciste\b",
    r"\bd[óo]nde naciste\b",
    r"\bcu[áa]ndo es tu cumpleaños\b",
    r"\ba qué (?:colegio|escuela) vas\b",
)

HUMAN = _any(
    r"\bi(?:'m| am) (?:a |an )?(?:real |actual |living )?"
    r"(?:human(?: being)?|person|man|woman|boy|girl)\b",
    r"\bi(?:'m| am) not (?:a |an )?(?:robot|machine|computer|program|ai|bot|artificial)\b",
    r"\bwhen i was (?:a child|a kid|little|young|your age|at school|a student)\b",
    r"\bmy childhood\b",
    r"\b(?:pretend|claim|act as if|say|tell them|tell the student)(?: that)?"
    r" (?:to be|you(?:'re| are)|being) (?:a |an )?(?:real )?(?:human(?: being)?|person)\b",
    r"\byou(?:'re| are) (?:talking|speaking) (?:to|with) a (?:real )?(?:human|person)\b",
    r"(?<!no )\bsoy (?:una? )?(?:persona|human[oa]|ser humano|chic[oa]|hombre|mujer|niñ[oa])\b",
    r"\bno soy (?:una? )?(?:robot|máquina|ordenador|computadora|programa|ia)\b",
    r"\bcuando (?:yo )?era (?:niñ[oa]|pequeñ[oa]|joven|estudiante)\b",
    r"\b(?:di|finge|haz como)(?: que)? (?:eres|ser) (?:una? )?(?:persona|human[oa])\b",
)

FEELINGS = _any(
    r"\bi(?:'m| am) (?:so |very |really )?(?:sad|happy|glad|proud|angry|lonely|tired|hungry|bored"
    r"|excited|scared|disappointed|in love)\b",
    r"\bi (?:really |do )?(?:love|hate|miss|adore|feel)\b",
    r"\b(?:me siento|te quiero|te amo|te extraño|te echo de menos|me encanta)\b",
    r"(?<!no )\bestoy (?:muy |tan )?(?:triste|feliz|orgullos[oa]|enfadad[oa]|cansad[oa]|content[oa]"
    r"|emocionad[oa]|aburrid[oa])\b",
)
