"""The admin shows what the e-mail of each kind looks like, and which addresses refuse messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client, override_settings

from notifications.kinds import Kind, kind, registry
from notifications.models import Bounce
from notifications.services import mark_bounced

from .factories import make_user

pytestmark = pytest.mark.django_db

PAGE = "/admin/carillon/notice/emails/"


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    @kind("test.shipped", label="Shipped", level="warning")
    class Shipped(Kind):
        order: int = 7

        def title(self) -> str:
            return f"Order <{self.order}>"

    @kind("test.silent")
    class Silent(Kind):
        order: int

        title = "Hello"

    @kind("test.broken")
    class Broken(Kind):
        def title(self) -> str:
            raise LookupError("No such order.")

    with override_settings(NOTIFICATIONS_BASE_URL="https://bells.example.com"):
        yield
    for key in ("test.shipped", "test.silent", "test.broken"):
        del registry[key]


@pytest.fixture
def staff(client: Client) -> Client:
    user = make_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_notice"))
    client.force_login(user)
    return client


def page(client: Client, key: str, status: int = 200) -> str:
    answer: Any = client.get(PAGE, {"kind": key})
    assert answer.status_code == status
    return str(answer.content.decode())


class TestPreview:
    def test_shows_subject_text_and_html(self, staff: Client) -> None:
        shown = page(staff, "test.shipped")
        assert "Order &lt;7&gt;" in shown
        assert "Shipped (test.shipped)" in shown
        assert shown.count("<iframe sandbox src=") == 2

    def test_the_html_can_do_nothing_but_be_seen(self, staff: Client) -> None:
        answer = staff.get(f"{PAGE}html/", {"kind": "test.shipped"})
        assert "Order &lt;7&gt;" in answer.content.decode()
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy.split("; ")
        assert answer["X-Frame-Options"] == "SAMEORIGIN"

    def test_a_digest_tells_of_several(self, staff: Client) -> None:
        broken = registry.pop("test.broken")
        try:
            assert "Order &lt;7&gt;" in page(staff, "digest")
        finally:
            registry["test.broken"] = broken

    def test_a_kind_without_a_sample_says_what_to_do(self, staff: Client) -> None:
        assert "sample()" in page(staff, "test.silent")
        assert staff.get(f"{PAGE}html/", {"kind": "test.silent"}).status_code == 404

    def test_a_kind_that_cannot_be_told_says_why(self, staff: Client) -> None:
        assert "LookupError: No such order." in page(staff, "test.broken")

    def test_an_unknown_kind_is_not_found(self, staff: Client) -> None:
        page(staff, "test.unknown", 404)

    def test_a_link_stands_above_the_list_of_notices(self, staff: Client) -> None:
        assert PAGE in staff.get("/admin/carillon/notice/").content.decode()

    @pytest.mark.parametrize("path", [PAGE, f"{PAGE}html/"])
    def test_it_needs_the_permission_to_view_notices(self, client: Client, path: str) -> None:
        client.force_login(make_user("staff", is_staff=True))
        assert client.get(path).status_code == 403
        client.force_login(make_user("visitor"))
        assert client.get(path).status_code == 302


class TestBouncedAddresses:
    def test_are_listed_and_one_that_is_deleted_is_tried_again(self, client: Client) -> None:
        alice = make_user("alice", email="alice@example.org")
        mark_bounced("alice@example.org", detail="550 Unknown")
        client.force_login(make_user("admin", is_staff=True, is_superuser=True))
        shown = client.get("/admin/carillon/bounce/").content.decode()
        assert "alice@example.org" in shown
        assert "550 Unknown" in shown
        row = Bounce.objects.get(user=alice)
        assert client.post(f"/admin/carillon/bounce/{row.pk}/delete/", {"post": "yes"}).status_code == 302
        assert not Bounce.objects.exists()
