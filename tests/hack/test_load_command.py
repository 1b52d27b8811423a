"""`python -m hack.load` as a process: it records, and stops cleanly on a signal."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from hack.load.answers import read

PATIENCE = 60.0
ROOT = Path(__file__).resolve().parents[2]


class Model:
    """A model server that always predicts 0, and counts its answers."""

    def __init__(self) -> None:
        self.answered = 0
        self.url = ""

    async def predict(self, _: web.Request) -> web.StreamResponse:
        self.answered += 1
        return web.json_response({"predictions": [0]}, headers={"X-Model-Version": "1.0.0"})


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    model = Model()
    application = web.Application()
    application.router.add_post("/predict", model.predict)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    model.url = f"http://{host}:{port}"
    yield model
    await runner.cleanup()


async def start(arguments: list[str]) -> asyncio.subprocess.Process:
    """Start it as a shell starts a background job: with SIGINT ignored."""
    return await asyncio.create_subprocess_exec(
        *["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "hack.load"],
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what another process writes has no event
            await asyncio.sleep(0.02)


async def test_it_sends_what_was_asked_and_prints_a_summary(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    process = await start(
        ["--url", model.url, "--rate", "200", "--count", "20", "--record", str(path)]
    )
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, errors
    assert len(read(path)) == model.answered == 20
    assert output.startswith(b"20 requests (10 fresh, 10 keep-alive;")
    assert b"1.0.0: 20 answers, 0 failed" in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_every_answer_in_the_record(
    number: signal.Signals, model: Model, tmp_path: Path
) -> None:
    path = tmp_path / "answers.jsonl"
    process = await start(["--url", model.url, "--duration", "3600", "--record", str(path)])
    try:
        await until(lambda: path.exists() and len(read(path)) >= 5)
        process.send_signal(number)
        output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors
    assert path.read_text().endswith("\n")
    answers = read(path)
    assert len(answers) == model.answered
    assert not any(answer.failed for answer in answers)
    assert output.startswith(f"{len(answers)} requests".encode())
