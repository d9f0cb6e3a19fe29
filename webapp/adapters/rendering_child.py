"""The process that renders: `python -m webapp.adapters.rendering_child`, started by `rendering.py`.

It knows no setting, no secret and no database. It reads texts from its standard input and answers
on its standard output, one after the other, each under a limit of the processor's time; it ends
when its parent does.
"""

import argparse
import os
import queue
import resource
import signal
import struct
import sys
import threading
import time
import traceback

from webapp.kit.rendering.excerpts import excerpt
from webapp.kit.rendering.markdown import render
from webapp.kit.rendering.refusals import RenderingRefusedError
from webapp.kit.rendering.sanitising import sanitise

# A frame is a letter, the lengths of two texts in bytes, and the texts.
HEADER = struct.Struct("!cII")
# Each text is answered twice: that it is begun, with no text, and what became of it.
BEGUN, RENDERED, REFUSED, FAILED = b"b", b"r", b"x", b"f"
MARKDOWN, HTML = b"m", b"h"

MEMORY_REFUSAL = "Rendering the text takes more memory than it may. Make it shorter, or part it."
OUTPUT_REFUSAL = "The page would be longer than it may. Make the text shorter, or part it."


def main() -> None:
    """Answer texts until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cpu-seconds", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--output-bytes", type=int, required=True)
    limits = parser.parse_args()
    # Ctrl-C reaches the whole group; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    texts: queue.SimpleQueue[tuple[bytes, str]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(texts,), daemon=True).start()
    while True:
        kind, text = texts.get()
        # The limit counts from the start of the process, in whole seconds.
        until = int(time.process_time()) + 1 + limits.cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))
        _write(BEGUN)
        letter, first, second = _answer(kind, text)
        if len(first) + len(second) > limits.output_bytes:
            letter, first, second = REFUSED, OUTPUT_REFUSAL.encode(), b""
        _write(letter, first, second)


def _answer(kind: bytes, text: str) -> tuple[bytes, bytes, bytes]:
    try:
        html = render(text) if kind == MARKDOWN else sanitise(text)
        return RENDERED, html.encode(), excerpt(html).encode()
    except RenderingRefusedError as refused:
        return REFUSED, str(refused).encode(), b""
    except MemoryError:
        return REFUSED, MEMORY_REFUSAL.encode(), b""
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent logs it
        # Without its message, which may hold words of the text.
        frames = "".join(traceback.format_tb(error.__traceback__))
        return FAILED, f"{frames}{type(error).__name__}".encode(), b""


def _write(letter: bytes, first: bytes = b"", second: bytes = b"") -> None:
    sys.stdout.buffer.write(HEADER.pack(letter, len(first), len(second)) + first + second)
    sys.stdout.buffer.flush()


def _read(texts: "queue.SimpleQueue[tuple[bytes, str]]") -> None:
    """Read texts ahead, in a thread of its own, so that the parent's end is seen at any moment."""
    while True:
        header = sys.stdin.buffer.read(HEADER.size)
        if len(header) < HEADER.size:
            os._exit(0)
        kind, length, _ = HEADER.unpack(header)
        texts.put((kind, sys.stdin.buffer.read(length).decode("utf-8", "replace")))


if __name__ == "__main__":
    main()
