"""Webhooks in the admin: secrets are shown once, and buttons do what they say to who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client, override_settings
from django.urls import reverse

from notifications.models import Delivery, Endpoint
from notifications.services import add_endpoint, disable_endpoint, notify

from .factories import make_user

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.com/T0/secret-part"
ADD = reverse("admin:carillon_endpoint_add")


@pytest.fixture(autouse=True)
def webhooks() -> Iterator[None]:
    with override_settings(NOTIFICATIONS_CHANNELS={"webhook": "Webhooks"}):
        yield


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_user("admin", is_staff=True, is_superuser=True))
    return client


def page(endpoint: Endpoint, name: str = "change") -> str:
    return reverse(f"admin:carillon_endpoint_{name}", args=[endpoint.pk])


def form(**changes: Any) -> dict[str, Any]:
    return {"channel": "webhook", "url": URL, "shape": "standard", "events": "", **changes}


def signed_in(*permissions: str) -> Client:
    user = make_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


class TestForm:
    def test_adds_one_and_shows_its_secret_once(self, staff: Client) -> None:
        group = Group.objects.create(name="Sales")
        response = staff.post(ADD, form(group=group.pk, events="kind:order.shipped\r\n\r\n category:orders "))
        endpoint = Endpoint.objects.get()
        assert (endpoint.group, endpoint.events) == (group, ["kind:order.shipped", "category:orders"])
        assert endpoint.secret in response.content.decode()
        assert "no-store" in response["Cache-Control"]
        assert endpoint.secret not in staff.get(page(endpoint)).content.decode()

    @pytest.mark.parametrize(
        ("name", "value"), [("url", "http://10.0.0.1/"), ("events", "order.shipped"), ("channel", "email")]
    )
    def test_says_at_its_field_what_is_wrong(self, staff: Client, name: str, value: str) -> None:
        response = staff.post(ADD, form(**{name: value}))
        assert list(response.context["adminform"].form.errors) == [name]
        assert Endpoint.objects.count() == 0

    def test_belongs_to_one_owner(self, staff: Client) -> None:
        group = Group.objects.create(name="Sales")
        response = staff.post(ADD, form(group=group.pk, user=make_user("alice").pk))
        assert list(response.context["adminform"].form.errors) == ["__all__"]

    def test_changes_where_it_lies_and_not_whose_it_is(self, staff: Client) -> None:
        endpoint = add_endpoint(None, URL)
        staff.post(page(endpoint), form(url="https://new.example.com/", user=make_user("alice").pk))
        endpoint.refresh_from_db()
        assert (endpoint.url, endpoint.user) == ("https://new.example.com/", None)

    def test_who_may_only_view_sees_no_part_of_the_address_that_may_be_secret(self) -> None:
        endpoint = add_endpoint(None, URL)
        shown = signed_in("view_endpoint").get(page(endpoint)).content.decode()
        assert "hooks.example.com" in shown
        assert "secret-part" not in shown
        assert "/do/" not in shown


class TestButtons:
    def press(self, client: Client, endpoint: Endpoint, what: str) -> Any:
        return client.post(page(endpoint, "do"), {"do": what})

    def test_a_test_is_stored_and_listed(self, staff: Client) -> None:
        endpoint = add_endpoint(None, URL)
        response = staff.post(page(endpoint, "do"), {"do": "test"}, follow=True)
        assert Delivery.objects.get().device == str(endpoint.pk)
        assert "waiting" in response.content.decode()

    def test_a_new_secret_is_shown_once(self, staff: Client) -> None:
        endpoint = add_endpoint(None, URL)
        old = endpoint.secret
        response = self.press(staff, endpoint, "rotate")
        endpoint.refresh_from_db()
        assert (endpoint.secret != old, endpoint.previous_secret) == (True, old)
        assert endpoint.secret in response.content.decode()
        assert endpoint.secret not in staff.get(page(endpoint)).content.decode()

    def test_it_is_switched_off_and_on(self, staff: Client) -> None:
        endpoint = add_endpoint(None, URL)
        self.press(staff, endpoint, "disable")
        assert Endpoint.objects.get().stopped == "hand"
        assert "Switch on" in staff.get(page(endpoint)).content.decode()
        self.press(staff, endpoint, "enable")
        assert Endpoint.objects.get().stopped == ""

    def test_what_failed_is_sent_again(self, staff: Client) -> None:
        endpoint = add_endpoint(None, URL)
        self.press(staff, endpoint, "test")
        Delivery.objects.update(state="failed", due_at=None, attempts=8)
        self.press(staff, endpoint, "replay")
        assert list(Delivery.objects.values_list("state", "attempts")) == [("waiting", 0)]
        disable_endpoint(endpoint)
        response = staff.post(page(endpoint, "do"), {"do": "replay"}, follow=True)
        assert "Switch the webhook on first." in response.content.decode()

    @pytest.mark.parametrize("what", ["test", "rotate", "disable", "replay", "enable"])
    def test_they_need_the_permission_and_a_post(self, what: str, staff: Client) -> None:
        endpoint = add_endpoint(None, URL)
        assert self.press(signed_in("view_endpoint"), endpoint, what).status_code == 403
        assert staff.get(page(endpoint, "do"), {"do": what}).status_code == 405
        assert Endpoint.objects.get().secret == endpoint.secret
        assert Delivery.objects.count() == 0

    def test_they_refuse_forged_requests(self) -> None:
        endpoint = add_endpoint(None, URL)
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_user("admin", is_staff=True, is_superuser=True))
        assert self.press(client, endpoint, "rotate").status_code == 403

    def test_what_nobody_knows_is_said(self, staff: Client) -> None:
        endpoint = add_endpoint(None, URL)
        assert self.press(staff, endpoint, "explode").status_code == 302
        assert self.press(staff, Endpoint(pk=endpoint.pk + 1), "test").status_code == 404


@pytest.mark.parametrize("lookup", ["secret__startswith", "secret__regex", "previous_secret", "url__contains", "url"])
def test_no_filter_helps_to_guess_what_is_secret(lookup: str, staff: Client) -> None:
    add_endpoint(None, URL)
    listed = reverse("admin:carillon_endpoint_changelist")
    for client in (signed_in("view_endpoint"), staff):
        assert client.get(listed, {lookup: "w"}).status_code == 400
        assert client.get(listed, {"shape__exact": "standard"}).status_code == 200


def test_the_list_costs_the_same_for_one_and_for_many(staff: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(10):
        add_endpoint(make_user(f"user{number}"), URL)
    with django_assert_max_num_queries(6):
        staff.get(reverse("admin:carillon_endpoint_changelist"))


def test_what_goes_to_the_site_is_among_the_deliveries(staff: Client) -> None:
    endpoint = add_endpoint(None, URL)
    notify(make_user("alice"), "Hello")
    with override_settings(NOTIFICATIONS_CHANNELS={"webhook": {"DEFAULT": "on"}}):
        notify(make_user("bob"), "Hello, Bob")
    delivery = Delivery.objects.get()
    assert (delivery.recipient, delivery.device) == (None, str(endpoint.pk))
    for address in (
        reverse("admin:carillon_delivery_changelist"),
        reverse("admin:carillon_delivery_change", args=[delivery.pk]),
        reverse("admin:carillon_notice_change", args=[delivery.notice_id]),
    ):
        response = staff.get(address)
        assert response.status_code == 200
        assert "webhook" in response.content.decode()
