"""Kinds: notifications that know what they are.

An app declares its own in ``notices.py``, which is found by itself::

    from django.utils.translation import gettext as _

    from notifications.kinds import Kind, kind
    from shop.models import Order

    @kind("order.shipped", category="orders", level="success")
    class OrderShipped(Kind):
        order: Order
        carrier: str

        def title(self):
            return _("%(order)s has shipped with %(carrier)s") % {"order": self.order, "carrier": self.carrier}

        def url(self):
            return self.order.get_absolute_url()

and sends it from anywhere::

    from notifications.services import notify

    notify(customer, OrderShipped(order=order, carrier="DHL"))

What is stored are the facts; the sentences are made anew in the language of whoever reads them.
"""

from .declaring import Kind, Rules, kind, registry
from .growing import people
from .references import Gone, Ref
from .waiting import After

__all__ = ["After", "Gone", "Kind", "Ref", "Rules", "kind", "people", "registry"]
