"""Preferences: over which channels people want which notifications.

What holds for one notification and one user is decided in one place, `resolving`: the user's own choices, which are
rows of `Preference`, the site's own function, the declaration of the kind, and the channel.
"""

from .resolving import Decision, Rule
from .topics import PreferenceChoice

__all__ = ["Decision", "PreferenceChoice", "Rule"]
