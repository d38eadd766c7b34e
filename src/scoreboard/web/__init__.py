"""HTTP: the JSON API, streams and pages.

A request passes `middleware`, then a route of `routes` or `admin`. A route authenticates the caller (`auth`),
checks `limits`, reads `request_parts` into `schemas`, and calls a service. `problems` renders every error.
"""
