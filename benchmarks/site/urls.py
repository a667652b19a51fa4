"""Addresses of the site under test."""

from django.apps import apps
from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import include, path

from . import pages, publish, queue

urlpatterns = [
    path("notifications/", include("notifications.urls")),
    path("admin/", admin.site.urls),
    path("page/", pages.page),
    path("static/<path:path>", serve, {"insecure": True}),
    path("queue/", queue.stream),
    path("publish/<publisher>", publish.view),
]
if apps.is_installed("django_eventstream"):
    urlpatterns.append(
        path("events/<pk>/", include("django_eventstream.urls"), {"format-channels": ["user-{pk}"]}),
    )
