# Tintype in a container; the command says which part: apply, worker, api, connectors (docs/deploying.md).
# No secret goes in: what differs from place to place comes from the environment, the shop's folder from a mount.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /opt/tintype
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

COPY requirements/run.txt requirements/
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements/run.txt

COPY tintype ./
COPY app app
COPY console console
COPY engine engine
COPY profiles profiles
COPY rfm rfm
COPY rules rules
COPY sinks sinks
COPY streams streams
COPY tags tags
COPY triggers triggers
COPY reference reference

# The kernel's machine code is kept by processor and by path. x86-64-v3 (AVX2) is what servers have had for ten
# years; elsewhere, and on ARM, build with --build-arg CPU=generic.
ARG CPU=x86-64-v3
ENV NUMBA_CPU_NAME=$CPU NUMBA_CPU_FEATURES=""
RUN .venv/bin/python -m engine.warm && .venv/bin/python -m streams.scan.warm \
    && .venv/bin/python -m compileall -q app console engine profiles rfm rules sinks streams tags triggers reference


FROM python:3.11.14-slim-bookworm
ARG CPU=x86-64-v3
ENV NUMBA_CPU_NAME=$CPU NUMBA_CPU_FEATURES="" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp \
    TINTYPE_DATA=/data
# `implicit`, which recommendations are trained with, is linked to OpenMP's library
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 tintype \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin tintype \
    && install -d -o tintype -g tintype /data
COPY --from=build /opt/tintype /opt/tintype
# numba reads a cache only where it could write one too
COPY --from=build --chown=10001:10001 /opt/tintype/.cache /opt/tintype/.cache
USER 10001:10001
WORKDIR /tmp
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/tintype/tintype"]
CMD ["--help"]
