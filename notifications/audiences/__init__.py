"""Audiences: named sets of users, for broadcasts.

An app describes its own in ``audiences.py``, which is found by itself::

    from notifications.audiences import audience

    @audience("Premium customers")
    def premium(users):
        return users.filter(subscription__active=True)

The function narrows whatever users it is given. So one definition counts the audience, selects those of it
who are online, and tells whether one user belongs to it.
"""

from .registration import audience, everyone, has_field, people, registry, staff
from .selection import Audience, Part, members, validate_audience
from .sizes import Size, Users, measure

__all__ = [
    "Audience",
    "Part",
    "Size",
    "Users",
    "audience",
    "everyone",
    "has_field",
    "measure",
    "members",
    "people",
    "registry",
    "staff",
    "validate_audience",
]
