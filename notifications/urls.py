"""The URLs of Carillon: include them wherever the bell's requests should go."""

from django.urls import path, re_path

from .chat import views as chat
from .deliveries import opening, push_views, schedule_pages, unsubscribe_views
from .deliveries.unsubscribing import TOKEN
from .feeds import views as feeds
from .inbox import actions, pages, preference_pages, preference_views, views, watch_views

app_name = "notifications"

urlpatterns = [
    path("", pages.inbox, name="inbox"),
    path("preferences/", preference_pages.preferences_page, name="preferences"),
    path("preferences/schedule/", schedule_pages.schedule_page, name="schedule"),
    path("preferences/digest/", schedule_pages.digest_page, name="send-digest"),
    re_path(r"^open/(?P<notice>[0-9]{1,18})/$", opening.open_notice, name="open"),
    re_path(rf"^unsubscribe/(?P<token>{TOKEN})/$", unsubscribe_views.unsubscribe, name="unsubscribe"),
    path("stream/", feeds.stream, name="stream"),
    path("api/inbox/", views.inbox_list, name="inbox-list"),
    path("api/preferences/", preference_views.preferences_api, name="preferences-api"),
    path("api/push/", push_views.push, name="push"),
    path("api/push/remove/", push_views.remove_device, name="push-remove"),
    path("api/push/clicked/", push_views.clicked, name="push-clicked"),
    path("push/worker.js", push_views.push_worker, name="push-worker"),
    path("api/watch/", watch_views.watch_api, name="watch"),
    path("api/counts/", views.counts, name="counts"),
    path("api/csrf/", views.csrf, name="csrf"),
    path("api/config/", views.config, name="config"),
    path("api/changes/", feeds.changes, name="changes"),
    path("api/inbox/filters/", views.filters, name="filters"),
    path("api/inbox/archive-all/", actions.archive_everything, name="archive-all"),
    path("api/inbox/undo/", actions.undo_change, name="undo"),
    path("api/inbox/read-all/", actions.read_all, name="read-all"),
    path("api/inbox/seen/", actions.seen, name="seen"),
    path("api/inbox/bulk/", actions.bulk, name="bulk"),
    path("ws/", chat.socket, name="socket"),
    path("api/feeds/", feeds.follow, name="follow-feeds"),
    path("part/", feeds.part, name="part"),
    path("api/feeds/stop/", feeds.stop, name="stop-answer"),
    path("api/rooms/", chat.rooms_list, name="rooms"),
    path("api/rooms/config/", chat.config, name="chat-config"),
    path("api/rooms/<int:pk>/messages/", chat.room_messages, name="room-messages"),
    re_path(r"^api/inbox/(?P<pk>[0-9]{1,18})/action/$", actions.act, name="perform-action"),
    re_path(r"^api/inbox/(?P<pk>[0-9]{1,18})/mute/$", preference_views.mute, name="mute"),
    re_path(r"^api/inbox/(?P<pk>[0-9]{1,18})/cancel/$", actions.cancel, name="cancel-progress"),
    re_path(
        r"^api/inbox/(?P<pk>[0-9]{1,18})/(?P<action>read|unread|archive|unarchive|click|pin|unpin|snooze|unsnooze)/$",
        actions.item_action,
        name="item-action",
    ),
]
