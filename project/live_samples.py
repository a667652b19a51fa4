"""The content of the demo's page “Live”."""

from django.utils.translation import gettext_noop

_SYMBOLS = """
ACME GLOBEX INITECH UMBRELLA APSE BELFRY BOURDON BRASS BRONZE CADENCE CAMPANA CARILLON CHIME CLAPPER CLERE CLOCK
COPPER CROWN DOME ECHO FRAME GABLE GONG HOUR KNELL LEVER MINARET MINUTE OCTAVE ORGAN PEAL PLAIN QUARTER RING
ROPE ROUND SALLY SCORE SPIRE STAY STEEPLE STRIKE TENOR TIN TOLL TOWER TREBLE VANE WHEEL YOKE
"""
SYMBOLS = _SYMBOLS.split()

# In this order; what each button says.
ORDER_STATES = {
    "new": gettext_noop("Start over"),
    "packed": gettext_noop("Pack"),
    "sent": gettext_noop("Send off"),
    "delivered": gettext_noop("Deliver"),
}
STATE_NAMES = {
    "new": gettext_noop("new"),
    "packed": gettext_noop("packed"),
    "sent": gettext_noop("sent"),
    "delivered": gettext_noop("delivered"),
}

JOURNAL = (
    ("info", gettext_noop("The tower is open.")),
    ("info", gettext_noop("Ropes 1 to 8 have been checked.")),
    ("info", gettext_noop("Bell 1 rings, 620 Hz.")),
    ("info", gettext_noop("Bell 2 rings, 552 Hz.")),
    ("info", gettext_noop("Bell 3 rings, 491 Hz.")),
    ("info", gettext_noop("Bell 4 rings, 464 Hz.")),
    ("warning", gettext_noop("Bell 5 is late by 40 ms.")),
    ("info", gettext_noop("Bell 6 rings, 368 Hz.")),
    ("info", gettext_noop("Bell 7 rings, 328 Hz.")),
    ("info", gettext_noop("Bell 8 rings, 310 Hz.")),
    ("info", gettext_noop("Rounds, twelve times.")),
    ("error", gettext_noop("The recorder has lost its connection.")),
    ("info", gettext_noop("The recorder is connected again. Nothing is missing.")),
    ("info", gettext_noop("Evening changes, 45 minutes.")),
    ("success", gettext_noop("All bells are down.")),
    ("info", gettext_noop("The tower is closed.")),
)

# What the assistant knows, by a word in the question; without one it says what it can.
ANSWERS = {
    gettext_noop("bell"): gettext_noop(
        "A bell has a note of its own, and many more that sound with it. The lowest of them, the hum, is an "
        "octave below the note that people hear; the tierce gives a bell its melancholy, for it is a minor third."
        " A founder tunes all of them by turning the inside of the bell on a lathe, a tenth of a millimetre at a "
        "time. What has been taken away cannot be put on again, so the last cuts are made with patience."
    ),
    gettext_noop("rope"): gettext_noop(
        "A rope is long enough to reach from the wheel to the ringer's hands, with a woollen grip in the right "
        "place. It wears where it runs over the edge of its guide. Look at that place once a month, and replace "
        "the rope before the strands show. A new one is stiff for a while, and wants to be rung in gently."
    ),
    gettext_noop("carillon"): gettext_noop(
        "A carillon has at least twenty-three bells, which do not swing. A keyboard of wooden batons pulls their "
        "clappers by wires, so that a player can ring softly and loudly. On a quiet evening it is heard some "
        "kilometres away, by everybody at the same moment, and nobody has to ask twice. That is more or less what"
        " this page does."
    ),
    "": gettext_noop(
        "I am a small assistant without a model: I look for a few words in your question, and write what I know "
        "of them, one word after the other. Ask me about a bell, a rope or a carillon. Meanwhile, open this page "
        "in a second tab: it shows the whole text at once, and then goes on. Stop me there, and I stop here too. "
        "Reload the page, and nothing that was written is lost."
    ),
}
