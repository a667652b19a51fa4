"""The demo site's URLs."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("send/", views.send, name="send"),
    path("live/", views.live, name="live"),
    path("chat/", views.chat, name="chat"),
    path("chat/<int:room>/", views.chat, name="chat-room"),
    path("sign-in/", LoginView.as_view(template_name="sign_in.html", redirect_authenticated_user=True), name="login"),
    path("sign-in/<slug:username>/", views.sign_in_as, name="sign-in-as"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("language/", include("django.conf.urls.i18n")),
    path("notifications/", include("notifications.urls")),
    path("admin/", admin.site.urls),
]
