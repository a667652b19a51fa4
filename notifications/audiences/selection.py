"""An audience as a broadcast keeps it: named audiences, groups and users, without some others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models, router
from django.db.models import Q, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..annotations import User, UserKey
from .registration import has_field, people, registry
from .sizes import Size, Users, measure

UNION = 2_000  # user keys in one query about several audiences
ALL = "everyone"


@dataclass(frozen=True, slots=True)
class Part:
    """Some users: by audience, by group, and one by one."""

    names: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    users: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything is selected."""
        return bool(self.names or self.groups or self.users)

    def among(self, users: Users) -> Q:
        """Return the condition that keeps the members among `users`."""
        chosen = Q(pk__in=self.users) if self.users else Q(pk__in=())
        for name in self.names:
            chosen |= Q(pk__in=registry[name].select(users).order_by().values("pk"))
        if self.groups and has_field("groups"):
            chosen |= Q(pk__in=users.filter(groups__in=self.groups).order_by().values("pk"))
        return chosen

    def labels(self, groups: Mapping[int, str] | None = None) -> list[str]:
        """Return the labels of the parts, for staff; `groups` are names that were read before."""
        labels = [str(registry[name].label) if name in registry else name for name in self.names]
        if self.groups and groups is not None:
            labels += sorted(groups[pk] for pk in self.groups if pk in groups)
        elif self.groups:
            labels += Group.objects.filter(pk__in=self.groups).order_by("name").values_list("name", flat=True)
        if self.users:
            number = len(self.users)
            labels.append(
                ngettext("%(number)s selected user", "%(number)s selected users", number) % {"number": number}
            )
        return labels


@dataclass(frozen=True, slots=True)
class Audience:
    """An audience: the union of `include`, without `exclude`."""

    include: Part = field(default_factory=Part)
    exclude: Part = field(default_factory=Part)

    @classmethod
    def of(
        cls,
        *names: str,
        groups: Iterable[Group | int] = (),
        users: Iterable[User | UserKey] = (),
        exclude: Audience | None = None,
    ) -> Audience:
        """Describe an audience.

        Args:
            names: Names of registered audiences.
            groups: Groups, or their primary keys.
            users: Users, or their primary keys.
            exclude: Users who are left out in any case.
        """
        include = Part(names, tuple(_keys(groups)), tuple(_keys(users)))
        if include.groups and not has_field("groups"):
            model = get_user_model().__name__
            raise TypeError(f"The audience names groups, but {model} has no groups: it lacks PermissionsMixin.")
        return cls(include, exclude.include if exclude else Part())

    @classmethod
    def parse(cls, value: object) -> Audience:
        """Read what `dump` made.

        Raises:
            ValidationError: It has another form.
        """
        if not isinstance(value, Mapping) or not value.keys() <= {"include", "exclude"}:
            raise ValidationError(_SHAPE, code="audience")
        return cls(_part(value.get("include", {})), _part(value.get("exclude", {})))

    def dump(self) -> dict[str, Any]:
        """Return the audience as plain JSON data."""
        return {"include": _plain(self.include), "exclude": _plain(self.exclude)}

    def select(self, users: Users) -> Users:
        """Keep the members among `users`.

        Raises:
            KeyError: An audience is no longer registered; `validate` says so in words.
        """
        chosen = users if ALL in self.include.names else users.filter(self.include.among(users))
        return chosen.exclude(self.exclude.among(users)) if self.exclude else chosen

    def unknown(self) -> list[str]:
        """Return the names that no app registers."""
        return [name for name in (*self.include.names, *self.exclude.names) if name not in registry]

    def validate(self) -> None:
        """Check that the audience can be evaluated.

        Raises:
            ValidationError: It is empty, or names an audience or group that does not exist.
        """
        if not self.include:
            raise ValidationError(_("Choose at least one audience, group or user."), code="empty")
        if unknown := self.unknown():
            raise ValidationError(
                _("The audience “%(name)s” does not exist. Available audiences: %(names)s."),
                code="unknown",
                params={"name": "”, “".join(unknown), "names": ", ".join(registry)},
            )
        groups = {*self.include.groups, *self.exclude.groups}
        if groups and (gone := groups.difference(_groups().filter(pk__in=groups).values_list("pk", flat=True))):
            raise ValidationError(
                _("No group with the ID %(keys)s exists. Choose another one."),
                code="unknown",
                params={"keys": ", ".join(map(str, sorted(gone)))},
            )

    def contains(self, user: User) -> bool:
        """Return whether `user` is a member."""
        return self.select(people().filter(pk=user.pk)).exists()

    def size(self) -> Size:
        """Count the members, or estimate their number."""
        return measure(self.select, people())

    def describe(self, groups: Mapping[int, str] | None = None) -> str:
        """Describe the audience: “Staff, Editors, except 2 selected users”.

        Args:
            groups: The names of groups by primary key, where they were read for many audiences at once.
        """
        text = ", ".join(self.include.labels(groups)) or _("nobody")
        if not self.exclude:
            return text
        excluded = ", ".join(self.exclude.labels(groups))
        return _("%(included)s, except %(excluded)s") % {"included": text, "excluded": excluded}


def _groups() -> models.QuerySet[Group]:
    """Return all groups as the primary database has them, for one may just have been made."""
    return Group.objects.using(router.db_for_write(Group))


def validate_audience(value: object) -> None:
    """Accept JSON data that describes an audience, whether or not its names still exist."""
    Audience.parse(value)


def members(audiences: Sequence[Audience], pks: Sequence[Any]) -> list[set[Any]]:
    """Return which of some users belong to each of some audiences, with one query for many of either.

    Returns:
        For each audience, the primary keys out of `pks` of its members.
    """
    found: list[set[Any]] = [set() for _audience in audiences]
    users = people(router.db_for_write(get_user_model())).filter(pk__in=pks)
    step = max(1, min(100, UNION // max(1, len(pks))))
    for first in range(0, len(audiences), step):
        queries = [
            chosen.select(users)
            .annotate(which=Value(number, output_field=models.IntegerField()))
            .order_by()
            .values_list("which", "pk")
            for number, chosen in enumerate(audiences[first : first + step], first)
        ]
        for which, pk in queries[0].union(*queries[1:], all=True) if len(queries) > 1 else queries[0]:
            found[which].add(pk)
    return found


_SHAPE = gettext_lazy(
    "An audience must have the form {“include”: {“names”: […], “groups”: […], “users”: […]}, “exclude”: {…}}."
)


def _part(value: object) -> Part:
    if not isinstance(value, Mapping) or not value.keys() <= {"names", "groups", "users"}:
        raise ValidationError(_SHAPE, code="audience")
    names, groups, users = (value.get(key, []) for key in ("names", "groups", "users"))
    plain = (
        isinstance(names, list)
        and isinstance(groups, list)
        and isinstance(users, list)
        and all(isinstance(name, str) for name in names)
        and all(type(key) is int for key in groups)
        and all(type(key) in (int, str) for key in users)
    )
    if not plain:
        raise ValidationError(_SHAPE, code="audience")
    return Part(tuple(names), tuple(groups), tuple(users))


def _plain(part: Part) -> dict[str, Any]:
    return {"names": list(part.names), "groups": list(part.groups), "users": list(part.users)}


def _keys(values: Iterable[models.Model | UserKey]) -> Iterable[Any]:
    for value in values:
        key = getattr(value, "pk", value)
        yield key if isinstance(key, int) else str(key)
