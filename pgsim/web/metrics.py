"""What a worker has answered, in the text format of Prometheus."""

import os
from collections import Counter

from starlette.types import Scope

# Seconds: from a stored list's answer to a scan that the statement timeout ends.
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_REQUESTS = "pgsim_serve_requests_total"
_SECONDS = "pgsim_serve_request_seconds"


class Metrics:
    """Counts of requests by path and status, and of the time that they took.

    Each worker has its own, under its own label: whichever worker is asked tells of itself.
    """

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._count, self._seconds = 0, 0.0

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request: by its route, so that paths are few."""
        route = scope.get("route")
        self._requests[getattr(route, "path_format", "unknown"), status] += 1
        self._count += 1
        self._seconds += seconds
        for bound in _BOUNDS:
            if seconds <= bound:
                self._buckets[bound] += 1
                break

    def text(self) -> str:
        """Return the counts."""
        worker = f'worker="{os.getpid()}"'
        lines = [f"# HELP {_REQUESTS} Requests answered.", f"# TYPE {_REQUESTS} counter"]
        lines += [
            f'{_REQUESTS}{{path="{path}",status="{status}",{worker}}} {count}'
            for (path, status), count in sorted(self._requests.items())
        ]
        lines += [f"# HELP {_SECONDS} Time to answer.", f"# TYPE {_SECONDS} histogram"]
        below = 0
        for bound in _BOUNDS:
            below += self._buckets[bound]
            lines.append(f'{_SECONDS}_bucket{{le="{bound}",{worker}}} {below}')
        lines += [
            f'{_SECONDS}_bucket{{le="+Inf",{worker}}} {self._count}',
            f"{_SECONDS}_sum{{{worker}}} {self._seconds:.6f}",
            f"{_SECONDS}_count{{{worker}}} {self._count}",
        ]
        return "\n".join(lines) + "\n"
