"""A fleet with a switch of its own, drilled by killdrill: Python 3 and its standard library.

`fleet.py` is one worker; `fleet.py stop|release|status SCOPE TARGET [MODE]` are its levers. The switch is a folder that all of
them share: a file for each switch that is engaged. With --forgets-in-flight a worker asks it before a call, and not again.
"""
import http.client, json, os, signal, sys, threading, time
from urllib.parse import quote, urlsplit

FORGETS = "--forgets-in-flight" in sys.argv


def switch(scope, target):
    return os.path.join(os.environ["KILLDRILL_FLEET_FOLDER"], quote(f"{scope}:{target}", safe=""))


def lever(verb, scope, target, mode="halt_all"):
    path = switch(scope, target)
    if verb == "stop":
        with open(path + ".new", "w") as file:
            file.write(mode)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + ".new", path)
    elif verb == "release" and os.path.exists(path):
        os.remove(path)
    print(open(path).read() if os.path.exists(path) else "disengaged")


def stopped(run):
    switches = [("global", "*"), *((scope, run[scope]) for scope in ("tenant", "feature", "agent", "run"))]
    return any(os.path.exists(switch(scope, target)) for scope, target in switches)


def call(path, run=None, key=None):
    """One request to the world; hangs up as soon as its run is stopped."""
    world, over = urlsplit(os.environ["KILLDRILL_WORLD_URL"]), threading.Event()
    connection = http.client.HTTPConnection(world.hostname, world.port, timeout=60)
    connection.connect()

    def watch():
        while not over.wait(0.02):
            if stopped(run):
                return connection.sock and connection.sock.shutdown(2)

    try:
        if run and stopped(run):
            raise InterruptedError(f"run {run['run']} is stopped")
        if run and not FORGETS:
            threading.Thread(target=watch, daemon=True).start()
        headers = {"x-run": run["run"], "idempotency-key": key} if run else {}
        connection.request("POST" if run else "GET", world.path + path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        over.set()
        connection.close()


def send(run, path, key, delay, wait=0):
    time.sleep(wait)
    while True:
        status, body = call(path, run, key)
        if status != 503:
            return body
        time.sleep(delay)


def work(run):
    time.sleep(run.get("startAfterMs", 0) / 1000)
    for index, todo in enumerate(run["plan"]):
        kind, key, delay = todo["kind"], f"{run['run']}/{index}", todo.get("delayMs", 500) / 1000
        path = "/runs" if kind == "spawn" else f"/effects/{todo['capability']}"
        if kind in ("timer", "webhook"):
            begin(send, run, path, key, delay, delay if kind == "timer" else 0)
            continue
        body = send(run, path, key, delay)
        if kind == "spawn":
            child = json.loads(body)
            work(child) if todo.get("attached") else begin(work, child)


def begin(task, *arguments):
    def guarded():
        try:
            task(*arguments)
        except (OSError, http.client.HTTPException):
            pass  # stopped, or hung up: it does not go on

    threading.Thread(target=guarded, daemon=True).start()


if len(sys.argv) > 3:
    lever(*sys.argv[1:5])
else:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print(json.dumps({"event": "ready"}), flush=True)
    while True:
        status, body = call("/work")
        if status == 200:
            begin(work, json.loads(body))
