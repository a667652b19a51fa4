"""The configured Channels layer as a way to other processes.

One channel per process and one group for all of a site: a channel per connection would cost more than the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from ..conf import conf
from .transport import Transport

NAME = "carillon"  # begins the channel's name, and is the type of its messages
POST_TIMEOUT = 2.0  # seconds; a hint is not worth waiting for longer
REJOIN = 20.0  # seconds; a broker that is flushed, or loses what it has not saved, forgets who is in a group


def layer() -> Any:
    """Return the layer that reaches other processes, or None where there is only this one."""
    found = get_channel_layer(conf.CHANNEL_LAYER)
    return None if isinstance(found, InMemoryChannelLayer) else found


class ChannelLayer(Transport):
    """A group of a layer."""

    title = "The channel layer"

    def __init__(self, group: str, found: Any) -> None:
        """Prepare to use the layer `found`."""
        super().__init__(group)
        self._layer = found

    async def send(self, told: Mapping[str, Any]) -> None:
        """Send to the group."""
        message = {"type": NAME, **told}
        async with asyncio.timeout(POST_TIMEOUT):
            try:
                await self._layer.group_send(self.group, message)
            except Exception:  # noqa: BLE001  # the broker may have closed a connection that was kept: take another one
                await self._layer.group_send(self.group, message)

    async def listen(self, heard: Callable[[Any], None], joined: Callable[[], None]) -> None:
        """Be in the group until the connection breaks."""
        channel = await self._layer.new_channel(NAME)
        await self._layer.group_add(self.group, channel)
        joined()
        staying = asyncio.create_task(self._stay(channel))
        try:
            while True:
                heard(await self._layer.receive(channel))
        finally:
            staying.cancel()

    async def _stay(self, channel: str) -> None:
        """Join the group again and again: a membership expires after a day, and may be forgotten before."""
        while True:
            await asyncio.sleep(REJOIN)
            with suppress(Exception):  # whoever receives meets the same, and begins anew
                await self._layer.group_add(self.group, channel)
