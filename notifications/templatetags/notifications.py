"""``{% load notifications %}``: the bell in a page, and what the page follows.

``{% notifications_head %}`` belongs into the ``<head>`` and ``{% notification_bell %}`` where the bell should be.
For anonymous users the bell renders nothing, and the head a script that forgets what the last user wrote; neither
runs a query. ``{% feeds_head %}`` and ``{% live %}`` are for feeds, which may be public.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.db.models import Model
from django.http import HttpRequest
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..chat.configuration import chat_configuration
from ..deliveries.push_views import push_context
from ..deliveries.schedule_form import schedule_context
from ..feeds import parts
from ..feeds.configuration import feeds_configuration
from ..inbox.configuration import configuration, summary_of
from ..inbox.preference_pages import form_context
from ..inbox.visiting import is_visit, mark_object_read
from ..inbox.watch_views import button_context
from ..live.broker import site_key
from ..live.http import user_of
from ..live.sessions import user_key

register = template.Library()

BUNDLES = ("notifications", "bell")


@register.simple_tag(takes_context=True)
def notifications_head(
    context: Context, bundle: str = "notifications", title: bool = True, socket: str = ""
) -> SafeString:
    """Print the style sheet, the configuration and the script.

    Where nobody is signed in it prints a small script alone: what the last user wrote and did not send is removed.

    Args:
        context: The template's; it must have the request.
        bundle: ``"notifications"`` for every element, or ``"bell"`` for the bell and the connection's state alone.
        title: Whether the document's title shows the count while the tab is hidden.
        socket: The path of the chat's WebSocket, where the site routes it: the ``notifications`` bundle then takes it
            for networks that hold streams back.

    Raises:
        TemplateSyntaxError: The bundle is unknown, or the request is missing.
    """
    if bundle not in BUNDLES:
        raise template.TemplateSyntaxError(f"`bundle` must be one of {', '.join(BUNDLES)}, not {bundle!r}.")
    request = _request(context)
    nonce = _nonce(context, request)
    if not _signed_in(request):
        return _script("signed-out", format_html('{} data-carillon-site="{}"', nonce, site_key()))
    request._notifications_bundle = bundle  # type: ignore[attr-defined]  # for the bell
    return format_html(
        '<link rel="stylesheet" href="{}"{}>\n<link rel="preload" as="fetch" crossorigin href="{}">\n'
        '<link rel="preload" as="fetch" crossorigin href="{}">\n{}\n{}',
        static("notifications/bell.css"),
        nonce,
        static("notifications/base.css"),
        static("notifications/elements.css"),
        json_script(_page_configuration(request, socket, bundle, title=title), "notifications-config"),
        _script(bundle, nonce),
    )


@register.simple_tag(takes_context=True)
def reads_notifications_of(context: Context, about: Model) -> str:
    """Mark as read what is about the object that the page shows; it prints nothing, and goes before the head.

    Args:
        context: The template's; it must have the request.
        about: The object.

    Raises:
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    if is_visit(request):
        mark_object_read(user_of(request), about)
    return ""


@register.simple_tag(takes_context=True)
def chat_head(context: Context, socket: str = "") -> SafeString:
    """Print the chat's configuration and script; it goes after ``{% notifications_head %}``.

    Args:
        context: The template's; it must have the request.
        socket: The path of the WebSocket; where the app's URLs are mounted, followed by ``ws/``, if it is empty.

    Raises:
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    if not _signed_in(request):
        return SafeString("")
    found = chat_configuration(request, socket)
    return format_html(
        '<link rel="preload" as="fetch" crossorigin href="{}">\n{}\n{}',
        found["urls"]["chatStyle"],
        json_script(found, "chat-config"),
        _script("chat", _nonce(context, request)),
    )


@register.simple_tag(takes_context=True)
def notification_bell(context: Context) -> SafeString:
    """Render the bell: a link to the inbox with the right count, which becomes live with JavaScript.

    Raises:
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    if not _signed_in(request):
        return SafeString("")
    unseen = summary_of(request).unseen
    # The bell says whose it is, and brings what it needs: htmx and Turbo put it into a document that another user's
    # page, or nobody's, began.
    return format_html(
        '<notification-bell user="{}" config="{}"><a href="{}" aria-label="{}">{}{}</a></notification-bell>{}',
        user_key(request.user.pk),
        reverse("notifications:config"),
        reverse("notifications:inbox"),
        _("Notifications, {count} new").replace("{count}", str(unseen)) if unseen else _("Notifications"),
        BELL,
        format_html("<span>{}</span>", "99+" if unseen > 99 else unseen) if unseen else "",
        _script(getattr(request, "_notifications_bundle", BUNDLES[0]), _nonce(context, request)),
    )


@register.simple_tag(takes_context=True)
def notification_preferences(context: Context) -> SafeString:
    """Render the form in which the user chooses what they get; with JavaScript it saves each choice at once.

    The page has ``{% notifications_head %}`` too.

    Raises:
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    if not _signed_in(request):
        return SafeString("")
    nonce = _nonce(context, request)
    style = format_html('<link rel="stylesheet" href="{}"{}>', static("notifications/inbox.css"), nonce)
    found = {**form_context(user_of(request)), "style": style, "script": _script("preferences", nonce)}
    return render_to_string("notifications/preferences_form.html", found, request)


@register.simple_tag(takes_context=True)
def notification_push(context: Context) -> SafeString:
    """Render the devices to which the user's notifications are pushed, and what turns pushes on in this browser.

    The page has ``{% notifications_head %}`` too. Where the site pushes nothing, it renders nothing.

    Raises:
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    found = push_context(request) if _signed_in(request) else None
    if found is None:
        return SafeString("")
    nonce = _nonce(context, request)
    style = format_html('<link rel="stylesheet" href="{}"{}>', static("notifications/inbox.css"), nonce)
    found |= {"style": style, "script": _script("push", nonce)}
    return render_to_string("notifications/push.html", found, request)


@register.simple_tag(takes_context=True)
def notification_schedule(context: Context) -> SafeString:
    """Render the form in which the user says when they are told beyond the site: quiet hours, digests, time zone.

    It goes below ``{% notification_preferences %}``, which brings its style and script. Where the site sends nothing
    beyond the page, it prints nothing.

    Raises:
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    if not _signed_in(request):
        return SafeString("")
    found = schedule_context(user_of(request), context.get("schedule_fields"))
    return render_to_string("notifications/schedule_form.html", found, request) if found else SafeString("")


@register.simple_tag(takes_context=True)
def watch_button(context: Context, about: Any) -> SafeString:
    """Render the button by which the user watches an object, for whoever may see the page; with JavaScript it is live.

    Args:
        context: The template's; it must have the request.
        about: A saved instance of a model.

    Raises:
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    if not _signed_in(request) or getattr(about, "pk", None) is None:
        return SafeString("")
    found = {**button_context(request, about), "script": _script("watch", _nonce(context, request))}
    return render_to_string("notifications/watch_button.html", found, request)


@register.simple_tag(takes_context=True)
def feeds_head(context: Context, elements: bool = True) -> SafeString:
    """Print the configuration and the script that follow feeds; where the page has a bell, over its connection.

    For who is not signed in it prints nothing that is theirs alone, and sets no cookie: a cache may keep such a page.

    Args:
        context: The template's; it must have the request.
        elements: Whether the page shows feeds by ``<live-value>`` and the like, which then get their script and style.

    Raises:
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    config = feeds_configuration(request, elements=elements)
    nonce = _nonce(context, request)
    style = format_html('<link rel="stylesheet" href="{}"{}>\n', static("notifications/feeds.css"), nonce)
    return format_html(
        "{}{}\n{}", style if elements else "", json_script(config, "feeds-config"), _script("feeds", nonce)
    )


@register.simple_tag(takes_context=True)
def live(context: Context, feed: str, template_name: str) -> SafeString:
    """Print a part of the page that the server renders anew whenever a feed moves.

    It is a ``<live-part>`` with what the template made; ``{% feeds_head %}`` brings the script. Who may not follow the
    feed gets nothing.

    Args:
        context: The template's; it must have the request.
        feed: The name of a feed whose declaration says the context of the template: ``@feed(…, context=…)``.
        template_name: The template, which is rendered with that context alone.

    Raises:
        UnknownFeed: Nobody has declared the feed.
        ImproperlyConfigured: The feed keeps nothing, or says no context.
        TemplateSyntaxError: The request is missing.
    """
    request = _request(context)
    resolved = parts.resolve(feed)
    if not resolved.allows(request.user):
        return SafeString("")
    part = parts.render(resolved, template_name, request)
    query = urlencode({"t": parts.token(feed, template_name)})
    return format_html(
        '<live-part feed="{}" cursor="{}" etag="{}" src="{}?{}">{}</live-part>',
        feed,
        part.cursor,
        part.etag,
        reverse("notifications:part"),
        query,
        SafeString(part.html),  # made by a template, which escapes
    )


BELL = SafeString(
    '<svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" stroke-width="1.75" '
    'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    '<path d="M6 9a6 6 0 1 1 12 0c0 5 2 6.5 2 7.5H4c0-1 2-2.5 2-7.5M10 20a2.2 2.2 0 0 0 4 0"/></svg>'
)


def _page_configuration(request: HttpRequest, socket: str, bundle: str, *, title: bool) -> dict[str, Any]:
    """Return the client's configuration, with where the feeds' bundle finds the page's one client."""
    found = configuration(request, socket)
    found["urls"]["client"] = static(f"notifications/{bundle}.js")
    return {**found, "title": title}


def _script(bundle: str, attributes: SafeString) -> SafeString:
    """Load a bundle; a document runs the same module once, however often it is named."""
    return format_html('<script type="module" src="{}"{}></script>', static(f"notifications/{bundle}.js"), attributes)


def _nonce(context: Context, request: HttpRequest) -> SafeString:
    """Return the attribute for the policy's nonce: of Django 6 (its context processor) or of django-csp."""
    nonce = context.get("csp_nonce")
    if nonce is None:
        nonce = getattr(request, "csp_nonce", None)
    # Both are lazy and false until their text is read, which is also what adds them to the header.
    return SafeString("") if nonce is None else format_html(' nonce="{}"', str(nonce))


def _signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def _request(context: Context) -> HttpRequest:
    request: HttpRequest | None = context.get("request")
    if request is None:
        raise template.TemplateSyntaxError(
            "The notification tags need the request: add 'django.template.context_processors.request' to the "
            "template engine's context processors, and render with a request."
        )
    return request
