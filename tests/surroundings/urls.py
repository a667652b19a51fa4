"""Carillon where the documentation mounts it, and somebody else's streams."""

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("notifications/", include("notifications.urls")),
    path("ticker/", views.ticker),
    path("enter/", views.enter),
    path("leave/", views.leave),
    path("group/", views.tell_group),
    path("tell/", views.tell),
    path("room/", views.room),
    path("language/", views.language),
]
