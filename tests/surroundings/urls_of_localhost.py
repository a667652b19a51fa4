"""A URLconf that some middleware chooses: Carillon's stream is elsewhere, and its place is somebody else's."""

from django.urls import include, path

from . import views

urlpatterns = [
    path("live/", include("notifications.urls")),
    path("notifications/stream/", views.ticker),
]
