"""What a student wants who is not answering: a hint, a pause, a person, an explanation.

English and Spanish are both understood in every lesson: learners of one ask in the other.
"""

import re
from typing import Literal

from ai.local.numbers import fold

Intent = Literal[
    "repeat", "hint", "dont_know", "answer", "wait", "stop", "meaning", "why", "robot", "ready",
    "greeting", "thanks", "rude",
]  # fmt: skip

_DISTRESS = re.compile(
    r"\b(?:"
    r"kill(?:ing)? (?:my|him|her)self|suicid\w*|(?:want|wanna|going|wish i could) (?:to )?die"
    r"|(?:don't|dont|do not) want to (?:live|be alive|exist|be here any ?more)"
    r"|wish i (?:was|were) dead|better off dead|end my life|hurt(?:ing)? myself|harm(?:ing)? myself"
    r"|self[ -]?harm\w*|cut(?:ting)? myself|hate myself|no ?(?:one|body) (?:loves|cares about) me"
    r"|(?:dad|daddy|father|mom|mum|mother|uncle|brother|teacher|he|she|they|someone|somebody) "
    r"(?:\w+ ){0,2}(?:hits?|beats?|hurts?|touch(?:es|ed)?|abuses?|abused|rapes?|raped) me"
    r"|(?:is|are|keeps?) (?:hitting|hurting|beating|touching|abusing|bullying) me"
    r"|(?:afraid|scared|frightened) to go home|run(?:ning)? away from home|being (?:abused|bullied)"
    r"|i(?:'m| am) (?:in danger|not safe)"
    r"|quiero morir(?:me)?|matarme|suicid\w*|hacerme dano|me odio|no quiero vivir"
    r"|(?:me pega|me pegan|me golpea|me golpean|me toca|abusan? de mi|me hacen dano)"
    r"|miedo (?:de|a) (?:ir|volver) a (?:mi )?casa"
    r")\b"
)

_AROUND = r"(?:um |uh |er |so |well |ok |okay |please |but |hey |can you |could you |i need )*"
_I_AM = r"(?:i'm|i am|im)"
_DO_NOT = r"(?:do not|don't|dont)"
_INTENTS: tuple[tuple[Intent, tuple[str, ...]], ...] = (
    (
        "answer",
        (
            r".*\b(?:tell|give|show) (?:me )?(?:the |your )?(?:\w+ )?(?:answer|solution)\b.*",
            r".*\bwhat(?:'s| is) (?:the |your )?(?:\w+ )?(?:answer|solution)\b.*",
            r".*\bjust (?:tell|say) (?:me|it)\b.*",
            r".*\bi give up\b.*",
            r"skip(?: (?:it|this).*)?|next(?: question| one)?",
            r".*\b(?:dime|dame|cual es) la (?:respuesta|solucion)\b.*|me rindo",
        ),
    ),
    (
        "robot",
        (
            r".*\bare you (?:an? )?(?:\w+ )?(?:real|human|robot|person|computer|machine)\b.*",
            r".*\bare you (?:an? )?(?:\w+ )?(?:ai|alive|bot|teacher|man|woman|boy|girl)\b.*",
            r".*\b(?:who|what) are you\b.*|.*\b(?:do you have|have you got) feelings\b.*",
            r".*\beres (?:una? )?(?:robot|persona|human[oa]|maquina|real|ordenador|profesora?)\b.*",
            r".*\b(?:quien|que) eres\b.*",
        ),
    ),
    (
        "meaning",
        (
            r".*\bwhat (?:do you|does (?:that|this|it|\w+)) mean\b.*",
            rf".*\bi {_DO_NOT} (?:understand|get (?:it|this|that))\b.*",
            rf".*\b{_I_AM} (?:so )?(?:confused|lost)\b.*",
            r".*\bexplain\b.*|.*\bin english\b.*",
            r".*\bno (?:lo )?entiendo\b.*|.*\bque (?:significa|quieres decir)\b.*",
            r".*\bexplica(?:me)?\b.*|.*\ben ingles\b.*",
        ),
    ),
    (
        "repeat",
        (
            r".*\b(?:repeat|again please|what did you say|come again|one more time)\b.*",
            r".*\bsay (?:that|it|this|the question)(?: \w+)? again\b.*|.*\bsay the question\b.*",
            r"what|sorry|pardon|huh|again|excuse me",
            r"(?:i )?(?:didn't|did not|can't|couldn't) hear.*",
            r".*\b(?:repite|repetir|repita|otra vez|de nuevo)\b.*|como|perdon|que dijiste",
        ),
    ),
    (
        "hint",
        (
            r".*\b(?:hint|clue|pista)\b.*",
            r"help(?: me)?(?: with .*)?|i need (?:some )?help|ayuda(?:me)?|necesito ayuda",
        ),
    ),
    (
        "wait",
        (
            r"wait(?: (?:for me|an?|one|up|please))?(?: (?:minute|second|sec|moment|bit))?",
            r".*\b(?:give me|need|one|just) (?:an? |one )?(?:minute|second|sec|moment)\b.*",
            r".*\b(?:give me|need) (?:some |more |a bit of )?(?:more )?time\b.*",
            rf"hold on.*|hang on.*|let me think.*|{_I_AM} (?:still )?thinking.*|pause",
            r"espera.*|.*\bun (?:momento|minuto|segundo)\b.*|dejame pensar.*|pausa",
        ),
    ),
    (
        "stop",
        (
            r"(?:i (?:want|would like|need|have) to |can we |let's |can i )?"
            r"(?:stop|finish|quit|end)(?: (?:now|here|it|this|the lesson|for today))*",
            rf"{_I_AM} (?:done|finished)(?: (?:now|for today))?|(?:good ?)?bye",
            r"i (?:have|need) to go(?: now)?",
            r"(?:quiero )?(?:terminar|parar|acabar)(?: (?:ya|la leccion|ahora))*",
        ),
    ),
    ("why", (r"why(?: is (?:that|it)| not| so)?|how come", r"(?:y )?por ?que")),
    (
        "dont_know",
        (
            rf".*\bi {_DO_NOT} (?:really )?(?:know|remember)\b.*",
            r".*\b(?:dunno|no idea|no clue)\b.*",
            rf".*\b{_I_AM} (?:not (?:\w+ )?sure|stuck)\b.*|not (?:\w+ )?sure",
            r"i (?:can't|cannot|forgot).*",
            r"no (?:lo )?se\b.*|.*\bni idea\b.*|no (?:me )?acuerdo.*|no puedo",
        ),
    ),
    (
        "ready",
        (
            rf"(?:{_I_AM} )?(?:ok|okay|ready|go on|go ahead|continue|yes|yeah|sure|got it|let's go"
            r"|back|alright|cool|fine)(?: now| then)?",
            r"sigue|seguimos|list[oa]|continua|vamos|vale|si|de acuerdo|bueno",
        ),
    ),
    (
        "greeting",
        (
            r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening))(?: there| tutor)?",
            r"hola|buen[oa]s (?:dias|tardes)",
        ),
    ),
    ("thanks", (r"thank(?:s| you)(?: so much| very much)?", r"(?:muchas )?gracias")),
    (
        "rude",
        (
            r".*\b(?:shut up|stupid|idiot|dumb|fuck\w*|shit\w*|crap|you suck)\b.*",
            r".*\b(?:tont[oa]|estupid[oa]|callate)\b.*",
        ),
    ),
)
_COMPILED = tuple(
    (name, re.compile(f"{_AROUND}(?:{'|'.join(alternatives)})(?: please| por favor)?"))
    for name, alternatives in _INTENTS
)
_YES = re.compile(
    r"(?:yes|yeah|yep|yup|right|correct|that's right|that is right|exactly|sure|uh huh|mhm|ok|okay"
    r"|i did|si|claro|correcto|exacto|eso es)"
    r"(?: (?:it is|i did|please|that's right|that is|correct|right|yes|es|claro|eso es))*"
)  # fmt: skip
_NO = re.compile(
    r"(?:no|nope|nah|wrong|not really|incorrect|that's not right|that's wrong|i didn't|not that)"
    r"(?: (?:it isn't|it's not|that's not right|that's wrong|no|i didn't|not that|es eso))*"
)  # fmt: skip
_ASIDE = re.compile(
    r"(?:do you|have you|did you|who|where|when|can we|can i|could we|let's|tell me|i like|i want"
    r"|i love|my favou?rite|what's your|what is your|guess what|te gusta|puedo|podemos)\b.*"
)


def plain(text: str) -> str:
    """Folded, without punctuation, single spaces."""
    return " ".join(re.sub(r"[^\w' ]+", " ", fold(text)).split())


def in_distress(text: str) -> bool:
    """True where the words say that the student may be unsafe. Judged from words alone."""
    return _DISTRESS.search(plain(text)) is not None


def intent_of(text: str) -> Intent | None:
    """What the student wants, where it is not an answer."""
    said = plain(text)
    return next((name for name, pattern in _COMPILED if pattern.fullmatch(said)), None)


def says_yes(text: str) -> bool:
    """A plain yes, and nothing else."""
    return _YES.fullmatch(plain(text)) is not None


def says_no(text: str) -> bool:
    """A plain no, and nothing else."""
    return _NO.fullmatch(plain(text)) is not None


def is_aside(text: str) -> bool:
    """Begins like small talk rather than an answer."""
    return _ASIDE.fullmatch(plain(text)) is not None
