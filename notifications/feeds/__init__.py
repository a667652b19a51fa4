"""Feeds: anything that a page wants to follow.

An app declares its own in ``feeds.py``, which is found by itself::

    from notifications.feeds import Log, feed

    @feed("orders:{pk:int}", keep=Log(count=1_000))
    def order(user, pk):
        return Order.objects.filter(pk=pk, customer=user).exists()

and publishes from anywhere::

    from notifications.services import publish

    publish("orders:42", {"state": "packed"}, event="status")
"""

from ..exceptions import UnknownFeed
from .policies import Latest, Log, Nothing
from .registry import feed

__all__ = ["Latest", "Log", "Nothing", "UnknownFeed", "feed"]
