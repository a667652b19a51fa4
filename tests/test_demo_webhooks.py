"""The demo's page of webhooks: the demo sends to itself, and takes what is signed, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from notifications.deliveries.webhook import signed
from notifications.kinds import registry
from notifications.models import Delivery, Endpoint
from notifications.services import deliver_due, notify
from project import settings as site

from .factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings: Any) -> Iterator[None]:
    settings.TEMPLATES, settings.LOGIN_URL = site.TEMPLATES, site.LOGIN_URL
    declared = dict(registry)
    channel = {"DEFAULT": "on", "OPTIONS": {"http": True, "ports": [80], "allow": ["testserver"]}}
    with override_settings(ROOT_URLCONF="project.urls", DEBUG=True, NOTIFICATIONS_CHANNELS={"webhook": channel}):
        yield
    registry.clear()
    registry.update(declared)  # without the demo's own kinds, which its views import


@pytest.fixture
def alice(client: Client) -> Any:
    user = make_user("alice")
    client.force_login(user)
    return user


def receive(client: Client, endpoint: Endpoint, body: bytes, secret: str = "", name: str = "1") -> int:
    headers = signed(name, body, [secret or endpoint.secret])
    address = reverse("webhook-receive", args=[endpoint.user_id])
    return client.post(address, body, content_type="application/json", headers=headers).status_code


def test_a_visitor_connects_the_page_and_gets_a_test(client: Client, alice: Any) -> None:
    for _ in range(2):
        client.post(reverse("webhook-connect"))
    endpoint = Endpoint.objects.get()
    assert (endpoint.user, endpoint.url) == (alice, f"http://testserver/webhooks/receive/{alice.pk}/")
    assert Delivery.objects.count() == 2


def test_an_event_is_shown_once_if_its_signature_is_right(client: Client, alice: Any) -> None:
    client.post(reverse("webhook-connect"))
    endpoint = Endpoint.objects.get()
    body = b'{"type":"order.shipped.v1","data":{"title":"<b>Order 7</b>"}}'
    program = Client(enforce_csrf_checks=True)
    assert [receive(program, endpoint, body, name="1") for _ in range(2)] == [204, 204]
    assert receive(program, endpoint, body, secret="whsec_" + "A" * 44, name="2") == 400
    address = reverse("webhook-receive", args=[alice.pk])
    assert program.post(address, body, content_type="application/json").status_code == 400
    malformed = {**signed("3", body, [endpoint.secret]), "webhook-signature": "v1"}
    assert program.post(address, body, content_type="application/json", headers=malformed).status_code == 400
    page = client.get(reverse("webhooks")).content.decode()
    assert page.count("order.shipped.v1</code>") == 1
    assert "<b>Order 7</b>" not in page


def test_who_is_not_connected_says_that_it_is_gone(client: Client, alice: Any) -> None:
    assert receive(client, Endpoint(user=alice, secret="whsec_AAAA"), b"{}") == 410


@override_settings(DEBUG=False)
def test_a_real_site_sends_nothing_to_itself(client: Client, alice: Any) -> None:
    assert client.post(reverse("webhook-connect")).status_code == 404
    assert Endpoint.objects.count() == 0
    notify(alice, "Hello")
    assert deliver_due() == 0
