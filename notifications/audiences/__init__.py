"""Audiences: named sets of users, for broadcasts.

An app defines its own in ``audiences.py``, which is discovered automatically::

    from notifications.audiences import audience

    @audience("Premium customers")
    def premium(users):
        return users.filter(subscription__active=True)

The function filters the users it is given. So one definition counts the audience, selects its members
who are online, and checks whether one user belongs to it.
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
