"""Audiences: one definition counts, selects who is online, and tests one user."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from notifications.audiences import Audience, Part, audience, members, registry
from notifications.audiences.sizes import Size


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """Let each test add to the registry, and restore it afterwards."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def short_names(users: Any) -> Any:
    return users.filter(username__regex=r"^.{3}$")


def in_groups(users: Any) -> Any:
    """Join, so that a user may be found several times."""
    return users.filter(groups__name__in=["Editors", "Ringers"])


class SelectingTests(TestCase):
    users: ClassVar[dict[str, User]]
    editors: ClassVar[Group]
    ringers: ClassVar[Group]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.editors, cls.ringers = (Group.objects.create(name=name) for name in ("Editors", "Ringers"))
        cls.users = {name: User.objects.create_user(name) for name in ("ann", "bob", "carol", "dave", "gone")}
        cls.users["bob"].is_staff = True
        cls.users["bob"].save()
        cls.users["gone"].is_active = False
        cls.users["gone"].save()
        cls.users["carol"].groups.add(cls.editors, cls.ringers)
        cls.users["dave"].groups.add(cls.ringers)

    def setUp(self) -> None:
        audience("Short names")(short_names)
        audience("In groups")(in_groups)

    def cases(self) -> dict[str, tuple[Audience, str]]:
        users = self.users
        return {
            "everyone but who cannot sign in": (Audience.of("everyone"), "ann bob carol dave"),
            "staff": (Audience.of("staff"), "bob"),
            "a group": (Audience.of(groups=[self.ringers]), "carol dave"),
            "chosen users": (Audience.of(users=[users["ann"], users["gone"]]), "ann"),
            "a union": (Audience.of("staff", groups=[self.editors], users=[users["dave"]]), "bob carol dave"),
            "a function of the project": (Audience.of("short_names"), "ann bob"),
            "a function that joins": (Audience.of("in_groups"), "carol dave"),
            "an exclusion": (Audience.of("everyone", exclude=Audience.of("staff")), "ann carol dave"),
            "an exclusion by group and user": (
                Audience.of("everyone", exclude=Audience.of(groups=[self.editors], users=[users["ann"]])),
                "bob dave",
            ),
            "an exclusion from a union": (
                Audience.of("short_names", "in_groups", exclude=Audience.of("staff")),
                "ann carol dave",
            ),
            "nobody": (Audience.of(), ""),
        }

    def test_the_same_people_are_counted_selected_and_tested(self) -> None:
        for name, (chosen, expected) in self.cases().items():
            with self.subTest(name):
                everybody = [user.pk for user in self.users.values()]
                (found,) = members([chosen], everybody)
                meant = {user.username for user in self.users.values() if user.pk in found}
                assert meant == set(expected.split())
                assert {name for name, user in self.users.items() if chosen.contains(user)} == meant
                assert chosen.size() == Size(len(meant), exact=True)

    def test_many_audiences_are_asked_with_one_query(self) -> None:
        chosen = [chosen for chosen, _ in self.cases().values()]
        pks = [user.pk for user in self.users.values()]
        with CaptureQueriesContext(connection) as captured:
            found = members(chosen, pks)
        assert len(captured) == 1
        assert [len(pks) for pks in found] == [len(expected.split()) for _, expected in self.cases().values()]

    def test_only_those_who_are_asked_about_are_found(self) -> None:
        assert members([Audience.of("everyone")], [self.users["ann"].pk]) == [{self.users["ann"].pk}]

    def test_it_is_kept_as_plain_data(self) -> None:
        for name, (chosen, _expected) in self.cases().items():
            with self.subTest(name):
                assert Audience.parse(chosen.dump()) == chosen

    def test_it_is_described_in_words(self) -> None:
        chosen = Audience.of("everyone", groups=[self.editors], exclude=Audience.of("staff", users=[self.users["ann"]]))
        assert chosen.describe() == "Everyone, Editors, except Staff, 1 selected user"
        assert Audience.of().describe() == "nobody"
        assert Audience.of("vanished").describe() == "vanished"


class EstimateTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        random.seed(7)
        User.objects.bulk_create(User(username=f"user{n}", is_staff=not n % 4) for n in range(30_000))

    def test_a_large_audience_is_estimated_and_says_so(self) -> None:
        size = Audience.of("everyone").size()
        assert not size.exact
        assert 27_000 <= size.number <= 33_000
        assert str(size).startswith("about ")

    def test_up_to_ten_thousand_are_counted(self) -> None:
        assert Audience.of("staff").size() == Size(7_500, exact=True)

    def test_an_estimate_costs_a_constant_number_of_queries(self) -> None:
        with CaptureQueriesContext(connection) as captured:
            Audience.of("everyone").size()
        assert len(captured) == 3


WRONG: dict[str, Any] = {
    "no object": "everyone",
    "another key": {"everyone": True},
    "names as text": {"include": {"names": "everyone"}},
    "a number as a name": {"include": {"names": [1]}},
    "a name as a group": {"include": {"groups": ["Editors"]}},
    "true as a user": {"include": {"users": [True]}},
    "a list": [],
    "nothing": None,
}


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
def test_other_shapes_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="must have the form"):
        Audience.parse(value)


def test_two_functions_of_one_name_are_a_mistake_with_a_remedy() -> None:
    audience("Customers", name="customers")(short_names)

    def customers(users: Any) -> Any:
        return users

    customers.__module__ = "another.audiences"
    with pytest.raises(ImproperlyConfigured, match='name="…"'):
        audience("Customers")(customers)


def test_a_name_in_the_database_may_differ_from_the_function() -> None:
    audience("Customers", name="customers")(short_names)
    assert registry["customers"].select is short_names


@pytest.mark.django_db
def test_an_unknown_audience_is_explained_with_what_there_is() -> None:
    with pytest.raises(ValidationError, match=r"vanished.*everyone, staff"):
        Audience.of("vanished").validate()


def test_a_part_is_false_when_it_names_nobody() -> None:
    assert not Part()
    assert Part(users=(1,))
