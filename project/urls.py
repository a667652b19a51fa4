"""The demo site's URLs."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from . import live, mailbox, views, webhooks

urlpatterns = [
    path("", views.home, name="home"),
    path("send/", views.send, name="send"),
    path("send/kind/", views.send_kind, name="send-kind"),
    path("recordings/<int:pk>/", views.recording, name="recording"),
    path("live/", live.live, name="live"),
    path("live/order/", live.move_order, name="live-order"),
    path("live/prices/", live.tick, name="live-prices"),
    path("live/journal/", live.write_journal, name="live-journal"),
    path("live/import/", live.import_recordings, name="live-import"),
    path("live/question/", live.ask, name="live-question"),
    path("mailbox/", mailbox.mailbox, name="mailbox"),
    path("mailbox/<int:pk>/", mailbox.mailbox, name="letter"),
    path("mailbox/<int:pk>/html/", mailbox.letter_html, name="letter-html"),
    path("chat/", views.chat, name="chat"),
    path("chat/<int:room>/", views.chat, name="chat-room"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/connect/", webhooks.connect, name="webhook-connect"),
    path("webhooks/receive/<int:pk>/", webhooks.receive, name="webhook-receive"),
    path("sign-in/", LoginView.as_view(template_name="sign_in.html", redirect_authenticated_user=True), name="login"),
    path("sign-in/<slug:username>/", views.sign_in_as, name="sign-in-as"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("language/", include("django.conf.urls.i18n")),
    path("notifications/", include("notifications.urls")),
    path("admin/", admin.site.urls),
]
