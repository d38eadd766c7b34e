"""Mechanisms that all other packages share. Each one exists once, here.

- `BackgroundLoop`: work that is repeated until the process stops
- `Failures`: logs and counts the errors that such work survives
- `SharedCall`: concurrent callers share one call, and reuse its result for a while
- `CircuitBreaker`: calls to an unreachable server fail at once
- `RateLimiter`: limits how often something happens, in the memory of this process
"""
