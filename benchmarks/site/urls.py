"""Addresses of the site under test."""

import django_eventstream
from django.urls import include, path

from . import publish, queue

urlpatterns = [
    path("notifications/", include("notifications.urls")),
    path("queue/", queue.stream),
    path("events/<pk>/", include(django_eventstream.urls), {"format-channels": ["user-{pk}"]}),
    path("publish/<publisher>", publish.view),
]
