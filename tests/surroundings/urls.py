"""Carillon where the documentation mounts it, and somebody else's streams."""

from django.urls import include, path

from . import views

urlpatterns = [
    path("notifications/", include("notifications.urls")),
    path("ticker/", views.ticker),
    path("enter/", views.enter),
    path("tell/", views.tell),
    path("room/", views.room),
    path("language/", views.language),
]
