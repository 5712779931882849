"""What a live session says in its own name: short, kind, concrete."""

INSTRUCTIONS = "The lesson's plan is with the tutor. Clients can't change it."
SESSION_OVER = "This lesson is over. Its transcript stays in the record; start a new one to go on."
READ_ONLY = (
    "You read along with this lesson, so you can't say or change anything in it. Only"
    " session.update is answered."
)
READERS_FULL = "Too many people read along with this lesson already. Try again in a minute."
NOT_HERE = "A student's connection can't do this."
SOUND_IS_THERE = "This connection is beside a call, and the microphone is the call's. Speak there."
NOTHING_TO_COMMIT = (
    "There is less than 100 ms of audio to commit. Append audio first, then commit it."
)
ID_REUSED = (
    "An item with this id but other content exists; the first is kept. Choose a new id, or leave it"
    " out."
)
NO_SUCH_ITEM = "There is no item with this id in this session."
ALREADY_ANSWERING = (
    "The tutor is already answering. Wait for response.done, or send response.cancel first."
)
NOTHING_TO_CANCEL = "Cancellation failed: no active response found."
TRUNCATE_WHAT = "There is no tutor's item with this id in this session."
TRUNCATE_TEXT = "This item has no audio; only audio can be truncated."
NO_WORDS = "The words of this turn could not be made out in time."
PAUSED = "Take your time. The tutor waits until you come back."
RESUMED = "Here we go again."
NOBODY_FREE = (
    "Nobody can join right now, so the tutor goes on with you. Your wish is noted in this lesson,"
    " and your teacher can see it."
)
TUTOR_TROUBLE = "The tutor lost its thread for a moment. Nothing you said is lost."
TUTOR_SLOW = "The tutor needs a moment longer. You don't have to say it again."
TUTOR_CHANGED = (
    "The tutor goes on in another way, because of trouble with the first. It may sound different;"
    " it knows all that you said."
)
TUTOR_GONE = (
    "The tutor can't be reached right now. Everything is saved; please try again in a few minutes."
)
TIME_OVER = "Our time is over for now. Everything you did is saved."
MICROPHONE_SILENT = "I can't hear you yet. Is the right microphone chosen, and is it on?"
GOING_AWAY = "The server restarts. Your lesson is safe; the page reconnects by itself."
TAKEN_OVER = "This lesson goes on in another window or device of yours."
MOVED = "This lesson goes on in another process of the server; the page finds it by itself."
SAVING_WAITS = (
    "The database can't be reached, and too much waits to be saved. Send this again, with the same"
    " id, in a few seconds."
)
CORRECTED = "A teacher has corrected the tutor's last answer. It should have been: {}"
CHECKED = "The tutor checked the answer."
LOOKED_UP = "The tutor looked something up in the lesson's material."
NOTED = {
    "step_done": "Step {} is done.",
    "hint_given": "The tutor gave a hint for step {}.",
    "misconception_seen": "The tutor made a note on step {}.",
    "solved_for_them": "Step {} was worked out together.",
}
STUDENT_ASKED = "The student asked for a person."
TUTOR_ASKED = "The tutor asked for a person to join."
ASKED_NOW = (
    "It is noted where the school sees it. Nobody may be free; say that you asked, and go on."
)
SAVING = "Saving takes longer than usual. Nothing is lost; the lesson goes on."


def minutes_left(minutes: int) -> str:
    unit = "minute" if minutes == 1 else "minutes"
    return f"About {minutes} {unit} left in this lesson."


def reads_along(name: str) -> str:
    return f"{name} is reading along."


def stopped_reading(name: str) -> str:
    return f"{name} stopped reading along."


def on_board(says: str) -> str:
    return f"On the board: {says}"


def asked_for_person(reason: str) -> str:
    reason = reason.strip()
    return f"{STUDENT_ASKED[:-1]}: {reason}" if reason else STUDENT_ASKED
