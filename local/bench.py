"""`make bench`: how fast the function starts, how much memory and space it takes.

Start is measured from process creation to the first request for work, which is what Lambda's init
phase waits for. A Runtime API of a few lines takes that request; nothing is ever answered, so no
AWS call is made. Memory is looked at again after a storm on the local AWS.
"""

from __future__ import annotations

import http.server
import io
import statistics
import subprocess
import threading
import time
import zipfile

from local.deploy import REGION
from local.function import BINARY, HOST, peak_memory
from local.scenarios import ALL
from local.scenarios.scenario import play
from local.stage import Stage

RUNS = 20
SPEED = 5
STORM = ALL["storm"]
NEXT = "/2018-06-01/runtime/invocation/next"


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Notes when the function asks for work, and keeps it waiting."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.asked = threading.Event()
        self.asked_at = 0.0
        self.over = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        api = self.server
        assert isinstance(api, RuntimeApi)
        if self.path == NEXT:
            api.asked_at = time.perf_counter()
            api.asked.set()
            api.over.wait(30)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line."""


def main() -> None:
    runs = [start() for _ in range(RUNS)]
    milliseconds = [seconds * 1000 for seconds, _ in runs]
    peak = max(kib for _, kib in runs)
    print(
        f"process start to first request for work: min {min(milliseconds):.1f} ms, "
        f"median {statistics.median(milliseconds):.1f} ms, max {max(milliseconds):.1f} ms "
        f"({RUNS} runs)"
    )
    print(f"peak memory (VmHWM) until then: {peak / 1024:.1f} MiB")
    print(f"peak memory over {STORM.instances} rescues at once: {rescue() / 1024:.1f} MiB")
    print(f"binary: {BINARY.stat().st_size / 2**20:.1f} MiB, zipped {zipped() / 2**20:.1f} MiB")


def start() -> tuple[float, int]:
    """Seconds until the function asks for work, and its peak memory in KiB by then."""
    api = RuntimeApi()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(BINARY)], env=environment(api.server_port), stdout=subprocess.DEVNULL
    )
    try:
        if not api.asked.wait(10):
            raise RuntimeError("the function has not asked for work within 10 s")
        return api.asked_at - began, peak_memory(process.pid)
    finally:
        process.kill()
        process.wait()
        api.over.set()
        api.shutdown()
        api.server_close()


def environment(port: int) -> dict[str, str]:
    return {
        "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": "spot-rescue",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "spot-rescue",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "SPOT_RESCUE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/bench",
    }


def rescue() -> int:
    """Peak memory in KiB of a function that goes through the demo's storm."""
    with Stage(SPEED, STORM.functions, STORM.batch_size) as stage:
        if not play(STORM, stage).passed:
            raise RuntimeError("the storm did not pass: see make demo SCENARIO=storm")
        peak = max(it.peak_memory() for it in stage.functions)
    stage.forget()
    return peak


def zipped() -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(BINARY, "bootstrap")
    return buffer.getbuffer().nbytes


if __name__ == "__main__":
    main()
