"""No URLs."""

urlpatterns: list[object] = []
