"""Whoever looks at an object has read what its notifications say."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, Group
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import RequestFactory, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.views import View

from notifications.decorators import reads_notifications_of
from notifications.inbox.reading import page
from notifications.services import mark_object_read, notify, undo

from .factories import make_user, make_users, stamp

TAG = Template("{% load notifications %}{% reads_notifications_of order %}")


@pytest.fixture
def alice(db: None) -> Any:
    return make_user("alice")


@pytest.fixture
def order(alice: Any) -> Group:
    """Return an object, of which alice was told twice, and of another once."""
    order, other = Group.objects.create(name="Order 7"), Group.objects.create(name="Order 8")
    for about in (order, order, other):
        notify([alice, make_user(f"bob{about.pk}{about.name}{len(page(alice).items)}")], str(about), about=about)
        stamp(alice)
    return order


def unread(user: Any) -> list[str]:
    return [item.title for item in page(user, "unread").items]


def request(user: Any, method: str = "get", **headers: str) -> HttpRequest:
    made = getattr(RequestFactory(headers=headers), method)("/")
    made.user = user
    return made  # type: ignore[no-any-return]


def test_what_is_about_it_is_read_and_can_be_undone(alice: Any, order: Group) -> None:
    done = mark_object_read(alice, order)
    assert (done, unread(alice)) == (2, ["Order 8"])
    assert undo(alice, done.undo) == 2
    assert len(unread(alice)) == 3


def test_a_visit_that_finds_nothing_costs_one_query_and_writes_nothing(alice: Any, order: Group) -> None:
    mark_object_read(alice, order)
    with CaptureQueriesContext(connection) as queries:
        assert mark_object_read(alice, order) == 0
    assert len(queries) == 1


def test_only_ones_own_are_read(order: Group) -> None:
    [carol] = make_users(1, "carol")
    notify(carol, "Hers", about=order)
    mark_object_read(carol, order)
    assert unread(carol) == []


@pytest.mark.parametrize(("about", "error"), [("order", TypeError), (Group(name="Unsaved"), ValueError)])
def test_what_is_no_object_is_refused(alice: Any, about: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        mark_object_read(alice, about)


class TestTag:
    def test_it_reads_and_prints_nothing(self, alice: Any, order: Group) -> None:
        assert TAG.render(Context({"request": request(alice), "order": order})) == ""
        assert unread(alice) == ["Order 8"]

    @pytest.mark.parametrize(
        "headers", [{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}]
    )
    def test_a_page_that_nobody_looks_at_reads_nothing(self, alice: Any, order: Group, headers: dict[str, str]) -> None:
        TAG.render(Context({"request": request(alice, **headers), "order": order}))
        assert len(unread(alice)) == 3

    def test_a_visitor_reads_nothing(self, order: Group) -> None:
        with CaptureQueriesContext(connection) as queries:
            TAG.render(Context({"request": request(AnonymousUser()), "order": order}))
        assert len(queries) == 0


class TestDecorator:
    def show(self, status: int = 200) -> Any:
        @reads_notifications_of(Group, key="number")
        def view(request: HttpRequest, number: int) -> HttpResponse:
            return HttpResponse(status=status)

        return view

    def test_what_a_view_shows_is_read(self, alice: Any, order: Group) -> None:
        assert self.show()(request(alice), number=order.pk).status_code == 200
        assert unread(alice) == ["Order 8"]

    @pytest.mark.parametrize(("status", "method"), [(302, "get"), (404, "get"), (200, "post")])
    def test_what_it_does_not_show_is_not(self, alice: Any, order: Group, status: int, method: str) -> None:
        self.show(status)(request(alice, method), number=order.pk)
        assert len(unread(alice)) == 3

    def test_a_key_that_makes_no_sense_reads_nothing(self, alice: Any, order: Group) -> None:
        self.show()(request(alice), number="x" * 300)
        assert len(unread(alice)) == 3


class AsyncTests(TransactionTestCase):
    def setUp(self) -> None:
        self.alice = make_user("alice")
        self.order = Group.objects.create(name="Order 7")
        notify(self.alice, "Order 7", about=self.order)

    async def test_an_async_view_is_decorated_too(self) -> None:
        @reads_notifications_of(Group)
        async def view(request: HttpRequest, pk: int) -> HttpResponse:
            return HttpResponse()

        assert iscoroutinefunction(view)
        assert (await view(request(self.alice), pk=self.order.pk)).status_code == 200
        assert await sync_to_async(unread)(self.alice) == []

    async def test_a_class_based_async_view_is_decorated_too(self) -> None:
        class OrderView(View):
            async def get(self, request: HttpRequest, pk: int) -> HttpResponse:
                return HttpResponse()

        view: Any = reads_notifications_of(Group)(OrderView.as_view())
        await view(request(self.alice), pk=self.order.pk)
        assert await sync_to_async(unread)(self.alice) == []
