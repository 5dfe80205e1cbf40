"""timing.ts's medianSeconds, for PyTorch's side."""

import time


def median_seconds(work, budget, warm_up=0):
    def timed(count):
        t = time.perf_counter()
        for _ in range(count):
            work()
        return time.perf_counter() - t

    begun, calls = time.perf_counter(), 0
    while calls < 3 or time.perf_counter() - begun < warm_up:
        work()
        calls += 1
    inner = 1
    while (taken := timed(inner)) < 2e-3:
        inner = max(inner + 1, min(inner * 10, int(inner * 3e-3 / (taken + 1e-9)) + 1))
    times, start = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < budget:
        times.append(timed(inner) / inner)
    return sorted(times)[len(times) // 2]
