# The server image: `docker build --tag scoreboard .`, then `docker run --publish 8000:8000 --volume scoreboard:/data scoreboard`.
# To pin the base: --build-arg PYTHON_IMAGE=python@sha256:… (any Debian-based Python 3.11 to 3.13).
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# Every wheel is verified by its hash, and none is compiled. This layer is reused until the lock changes.
COPY requirements/runtime.lock ./
RUN pip download --quiet --require-hashes --only-binary :all: --dest /wheels --requirement runtime.lock

# Build tools are in the lock, too, and stay in this stage: /app gets only the server's dependencies.
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --quiet --no-index --find-links /wheels --no-deps --wheel-dir /wheels . \
    && python -m venv --without-pip /app \
    && pip --python /app/bin/python install --quiet --no-index --find-links /wheels --no-compile /wheels/scoreboard-*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash /app/lib \
    && mkdir /data
COPY deploy/healthcheck.py /app/


FROM ${PYTHON_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Scoreboard" \
    org.opencontainers.image.description="A self-hosted, real-time scoreboard server" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.revision="${REVISION}"

# The image installs nothing at run time. Scanners would report setuptools and the copies in ensurepip.
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore setuptools wheel pip \
    && rm -rf "$(python -c 'import ensurepip; print(ensurepip.__path__[0])')"

COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data
ENV PATH=/app/bin:${PATH}

# The base image has no compiled modules, and a read-only root cannot keep them: compile them here.
RUN scoreboard --version
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# By default, all data is in one file of the volume. The server writes nothing else.
ENV SCOREBOARD_HOST=0.0.0.0 SCOREBOARD_DATABASE_URL=sqlite:////data/scoreboard.db
VOLUME /data
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-IS", "/app/healthcheck.py"]
ENTRYPOINT ["scoreboard"]
CMD ["serve"]
