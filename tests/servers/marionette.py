"""Firefox's own remote protocol, so that Selenium drives Firefox without geckodriver, which Debian 12 does not carry.

https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

from __future__ import annotations

import json
import socket
from typing import Any

from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.remote_connection import RemoteConnection

COMMANDS = {
    Command.NEW_SESSION: "NewSession",
    Command.QUIT: "DeleteSession",
    Command.NEW_WINDOW: "NewWindow",
    Command.SWITCH_TO_WINDOW: "SwitchToWindow",
    Command.W3C_GET_CURRENT_WINDOW_HANDLE: "GetWindowHandle",
    Command.W3C_GET_WINDOW_HANDLES: "GetWindowHandles",
    Command.CLOSE: "CloseWindow",
    Command.GET: "Navigate",
    Command.FIND_ELEMENTS: "FindElements",
    Command.CLICK_ELEMENT: "ElementClick",
    Command.W3C_EXECUTE_SCRIPT: "ExecuteScript",
}


class Marionette(RemoteConnection):
    """What geckodriver does: send Selenium's commands to a Firefox that was started with ``--marionette``."""

    def __init__(self, port: int) -> None:
        super().__init__(client_config=ClientConfig(f"http://127.0.0.1:{port}"))
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._messages = self._socket.makefile("rwb")
        self._read()  # a greeting

    def execute(self, command: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send one command and return its answer in the form in which WebDriver's servers give it."""
        message = json.dumps([0, 1, f"WebDriver:{COMMANDS[command]}", params]).encode()
        self._messages.write(b"%d:%s" % (len(message), message))
        self._messages.flush()
        _, _, error, result = self._read()
        if error:
            return {"status": 500, "value": json.dumps({"value": error})}
        return result if isinstance(result, dict) and "value" in result else {"value": result}

    def close(self) -> None:
        """End the connection."""
        self._messages.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while (byte := self._messages.read(1)).isdigit():
            length += byte
        return json.loads(self._messages.read(int(length)))
