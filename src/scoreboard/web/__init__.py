"""HTTP: routes, who sends a request, what it must look like, and what is answered when it does not."""
