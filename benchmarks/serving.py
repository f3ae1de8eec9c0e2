"""The server under eight clients, against llama.cpp's own server out of the same wheel; and under 64 clients for long.

    python benchmarks/serving.py [--rounds 4] [--threads N]     both servers, one after the other
    python benchmarks/serving.py --soak 300 [--clients 64]      ours alone

Clients stream chat completions of the model `small` at temperature 0, 96 tokens each, and ask all at once, round by
round: every round another question, the system prompts stay. `one`: all have the same prompt of some 300 tokens;
`eight`: each has one of its own. The first round follows a start of the server and one short request that loads the
weights. Both servers have as many threads, eight slots, 2,048 tokens of context each.
Prints one JSON document: tokens/s and time to the first token (median, p95) for the first round and the others, ratios
of ours to theirs; of the soak, errors, replies that differ from those given alone, and memory after a minute and at the
end.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent))
from common import default_model_path, machine

TOKENS, CLIENTS = 96, 8
QUESTIONS = (
    "What makes a society fair?", "What do the rich owe the poor?", "When is a war just?", "Who should own land?",
    "What is a good school for?", "May a state keep secrets?", "What do we owe parents?", "Is every law to be kept?",
)  # fmt: skip
WHO = (
    "a market economist", "a union organiser", "a Buddhist teacher", "a Christian pastor", "a historian of empire",
    "a village doctor", "a constitutional lawyer", "a young engineer",
)  # fmt: skip
_MANNER = (
    "You answer from that point of view, in plain words. Say what you hold, give your reasons one by one, name "
    "an example from daily life, and tell what speaks against you. Do not flatter, do not threaten, do not repeat what "
    "you were asked. Where you are not sure, say so. "
)


def systems(several: bool) -> list[str]:
    """One system prompt of some 300 tokens for each client."""
    return [f"You are {who}. {_MANNER * 5}" for who in (WHO if several else WHO[:1] * CLIENTS)]


@contextmanager
def ours(threads: int) -> Iterator[tuple[str, str, int]]:
    """Base URL, token and process id."""
    with tempfile.TemporaryDirectory() as home:
        store = default_model_path().parents[2]
        given = {"PLURIVERSE_HOME": home, "PLURIVERSE_STORES": str(store), "PLURIVERSE_THREADS": str(threads)}
        command = [sys.executable, "-m", "pluriverse", "serve", "--port", "0", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **given}) as process:
            ready = json.loads(process.stdout.readline())
            try:
                yield ready["url"], ready["token"], process.pid
            finally:
                process.terminate()


@contextmanager
def theirs(threads: int) -> Iterator[tuple[str, str, int]]:
    command = [sys.executable, __file__, "--peer", "--threads", str(threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        address = next(line for line in process.stdout if line.startswith("http")).strip()
        try:
            yield address, "none", process.pid
        finally:
            process.kill()


def peer(threads: int) -> None:
    """llama.cpp's server in this process, until it is killed."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(default_model_path())
    params.n_parallel, params.n_ctx, params.port = CLIENTS, CLIENTS * 2048, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    time.sleep(10**6)


async def ask(
    client: httpx.AsyncClient, system: str, question: str, tokens: int = TOKENS
) -> tuple[str, int, float, float]:
    """Text, tokens, seconds to the first and to the last."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    body = {"model": "small", "messages": messages, "max_tokens": tokens, "temperature": 0, "stream": True,
            "stream_options": {"include_usage": True}}  # fmt: skip
    began, first, text, said = time.perf_counter(), 0.0, "", 0
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code}")
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line[6:])
            if "error" in chunk:
                raise RuntimeError(chunk["error"]["message"])
            for choice in chunk["choices"]:
                if choice["delta"].get("content"):
                    first = first or time.perf_counter() - began
                    text += choice["delta"]["content"]
            if chunk.get("usage"):
                said = chunk["usage"]["completion_tokens"]
    return text, said, first, time.perf_counter() - began


def connected(url: str, token: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=600, limits=limits)


async def rounds(url: str, token: str, several: bool, count: int) -> list[dict[str, float]]:
    found = []
    async with connected(url, token) as client:
        await ask(client, "", "Say yes.", 1)
        for turn in range(count):
            began = time.perf_counter()
            calls = [
                ask(client, system, QUESTIONS[(turn + place) % len(QUESTIONS)])
                for place, system in enumerate(systems(several))
            ]
            answers = await asyncio.gather(*calls)
            seconds = time.perf_counter() - began
            firsts = sorted(first for _, _, first, _ in answers)
            said = sum(each[1] for each in answers)
            found.append(
                {
                    "tokens_per_s": said / seconds,
                    "tokens": said,
                    "first_s": statistics.median(firsts),
                    "first_p95_s": firsts[-1],
                }
            )
    return found


def summed(found: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """The first round, and the median of those after it."""
    names = found[0]
    return {"first": found[0], "warm": {name: statistics.median(each[name] for each in found[1:]) for name in names}}


def compared(count: int, threads: int) -> dict[str, object]:
    told: dict[str, object] = {}
    for name, several in (("one", False), ("eight", True)):
        both = {}
        for who, server in (("ours", ours), ("theirs", theirs)):
            with server(threads) as (url, token, _):
                both[who] = summed(asyncio.run(rounds(url, token, several, count)))
        ratio = {
            when: {
                each: both["ours"][when][each] / both["theirs"][when][each]
                for each in ("tokens_per_s", "first_s", "first_p95_s")
            }
            for when in ("first", "warm")
        }
        told[name] = {**both, "ratio": ratio}
    return told


async def soak(url: str, token: str, pid: int, seconds: float, clients: int) -> dict[str, object]:
    async with connected(url, token) as client:
        prompts = [(system, question) for system in systems(True) for question in QUESTIONS[:2]]
        alone = {each: (await ask(client, *each, 32))[0] for each in prompts}
        until, counts = time.monotonic() + seconds, {"replies": 0, "busy": 0, "errors": 0, "different": 0}

        async def go_on(place: int) -> None:
            while time.monotonic() < until:
                each = prompts[place % len(prompts)]
                place += clients + 1
                try:
                    text = (await ask(client, *each, 32))[0]
                    counts["replies"] += 1
                    counts["different"] += text != alone[each]
                except (RuntimeError, httpx.HTTPError) as error:
                    counts["busy" if str(error) == "429" else "errors"] += 1
                    await asyncio.sleep(0.2)

        going = [asyncio.create_task(go_on(place)) for place in range(clients)]
        await asyncio.sleep(min(60, seconds / 2))
        early = memory(pid)
        await asyncio.gather(*going)
        late = memory(pid)
    return {**counts, "memory_early": early, "memory_late": late, "growth": late / early - 1}


def memory(pid: int) -> int:
    """Resident bytes of a process and its children."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return own + sum(memory(int(child)) for child in children if Path(f"/proc/{child}").exists())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--soak", type=float, metavar="SECONDS")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        return peer(args.threads)
    if args.soak:
        with ours(args.threads) as served:
            found = asyncio.run(soak(*served, args.soak, args.clients))
    else:
        found = compared(args.rounds, args.threads)
    print(json.dumps({**machine(), "threads": args.threads, **found}, indent=1))


if __name__ == "__main__":
    main()
