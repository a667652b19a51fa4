"""The benchmarks run: few connections, the smallest choice of servers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import load, sockets
from benchmarks.parts import chat

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.servers


@pytest.mark.thorough
def test_the_quick_run_measures_and_reports(tmp_path: Path) -> None:
    if shutil.which(os.environ.get("CC", "cc")) is None:
        pytest.fail("The load generator is written in C and there is no compiler: `apt install gcc`")
    figures, picture = tmp_path / "figures.json", tmp_path / "figures.svg"
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--quick",
        *(
            "streams",
            "fanout",
            "storing",
            "storm",
            "restart",
            "memory",
            "idle",
            "fairness",
            "--servers",
            "bare",
            "lane",
        ),
        *("--streams", "own", "--databases", "sqlite", "--json", str(figures), "--svg", str(picture)),
    ]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "bare asyncio protocol" in run.stdout
    assert "against its targets" in run.stdout
    found = json.loads(figures.read_text())
    bare, lane = found["streams"]["servers"]
    assert lane["lost"] == bare["lost"] == 0
    assert lane["threads"] == lane["database"] == 0
    assert 0 < bare["event_us"] < lane["event_us"]
    assert lane["connect_ms"] > 0
    assert [row["key"] for row in found["fairness"]] == ["commands", "writes", "lock", "connects"]
    assert all(0 < row["alone_ms"] <= row["alone_p99_ms"] for row in found["fairness"])
    assert all(0 < row["beside_ms"] <= row["beside_p99_ms"] for row in found["fairness"])
    assert [row["database"].split()[0] for row in found["storing"]] == ["SQLite"]
    own = [row for row in found["fanout"] if row["streams"] == "own"]
    assert [(row["server"], row["processes"], row["lost"]) for row in own] == [
        *(("bare", 1, 0), ("raw", 1, 0), ("lane", 1, 0), ("lane", 2, 0))
    ]
    assert all(0 < row["p50_ms"] <= row["last_ms"] for row in own)
    assert all(row["refused"] == 0 and 0 < row["p50_ms"] <= row["last_ms"] for row in found["storm"])
    assert found["restart"]["cut"] == 0
    assert 0 < found["restart"]["away_ms"] <= found["restart"]["away_last_ms"]
    assert all(row["idle_ms"] >= 0 for row in found["idle"])
    assert {row["headers"] for row in found["memory"]} == {3, 16}
    assert ET.fromstring(picture.read_text()).tag.endswith("svg")


def test_a_missing_compiler_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "CACHE", tmp_path)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(load.BenchmarkError, match=r"written in C: install a compiler \(`apt install gcc`\) or set CC"):
        load.program()


def test_clients_of_a_chat_answer_pings() -> None:
    # Text frames and a ping's answer, as clients mask them.
    connect, pong, control = b"\x81\x82\0\0\0\x0040", b"\x81\x81\0\0\0\x003", b"\x8a\x84\0\0\0\0beat"

    async def run() -> bytes:
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            for part in (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"\x81\x012\x89", b"\x04beat"):
                writer.write(part)
                await writer.drain()
            heard.set_result(await reader.readexactly(len(connect + pong + control)))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        clients = sockets.Sockets()
        await clients.open(server.sockets[0].getsockname()[1], "/", ["a=b"], chat.socketio(1))
        found = await heard
        clients.close()
        server.close()
        return found

    assert asyncio.run(asyncio.wait_for(run(), 10)) == connect + pong + control
