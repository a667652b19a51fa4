"""The configured Channels layer as a way to other processes.

One channel per process and one group for all of a site: a channel per connection would cost more than the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from ..conf import conf
from .transport import Transport

NAME = "carillon"  # begins the channel's name, and is the type of its messages
POST_TIMEOUT = 2.0  # seconds; a hint is not worth waiting for longer
REJOIN = 3600.0  # seconds; group membership expires after a day


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
        """Be in the group for as long as a membership surely lasts."""
        channel = await self._layer.new_channel(NAME)
        await self._layer.group_add(self.group, channel)
        joined()
        try:
            async with asyncio.timeout(REJOIN):
                while True:
                    heard(await self._layer.receive(channel))
        except TimeoutError:
            await self._layer.group_discard(self.group, channel)
