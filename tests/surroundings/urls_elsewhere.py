"""Carillon far below, and one of its views at a path of the site's own."""

from django.urls import include, path

from notifications.feeds.views import stream

urlpatterns = [
    path("a/far/place/", include("notifications.urls")),
    path("events", stream),
]
