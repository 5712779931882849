"""What is said to Nova Sonic in the student's name, so that the tutor speaks.

It answers what it hears by itself; all else needs words that it is to answer. They are never shown
or stored.
"""

from ai.engine import Cue

CUES: dict[Cue, str] = {
    "opening": "(I am here. Please begin the lesson now with its opening and first question.)",
    "student": "(Please answer now to what I said last.)",
    "silence": "(I have said nothing for a while. Please help me on kindly, in one or two short"
    " sentences.)",
    "resumed": "(I was away and am back. Please welcome me back in a few words and go on where we"
    " were.)",
}
UNHEARD = "(I spoke, but it could not be understood. Please ask me kindly to say it again.)"
MOVED_ON = '{"error":"The student went on speaking; nothing came of this."}'
TOO_LATE = '{"error":"It took too long. Go on without it."}'
