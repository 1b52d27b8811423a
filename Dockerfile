# The operator's image: two layers on top of Python's, the locked dependencies and Headgate itself.
# The same sources give the same layers, byte for byte (`make bench-image` builds it twice).
FROM docker.io/library/python:3.11-slim-bookworm AS source

WORKDIR /build
# The build backend: the operator needs none at run time.
COPY hack/requirements.txt ./
RUN python3 -m venv backend \
    && backend/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements.txt
COPY pyproject.toml README.md ./
COPY operator ./operator
ARG SOURCE_DATE_EPOCH=0
RUN backend/bin/pip wheel --no-deps --no-build-isolation --disable-pip-version-check \
        --wheel-dir /wheel .

# A release puts the wheel that was tested in the place of this stage (--build-context wheel=dist).
FROM scratch AS wheel
COPY --from=source /wheel /

FROM docker.io/library/python:3.11-slim-bookworm AS build

# pip stays outside of the environment that it fills.
RUN python3 -m venv --without-pip /opt/headgate
COPY requirements.txt ./
# Wheels only: what is compiled here would differ each time. Bytecode goes by no time stamp, so that
# it does not either, and is made now because the file system is read-only at run time. Most of the
# typed Kubernetes clients gets none: Headgate sends dicts, so nothing imports it.
RUN python3 -m pip --python /opt/headgate/bin/python3 install --no-cache-dir --no-compile \
        --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements.txt \
    # Tests of libraries are never run here.
    && find /opt/headgate -type d -name tests -path '*/site-packages/*' -prune -exec rm -rf {} + \
    && python3 -m compileall -q --invalidation-mode unchecked-hash \
        -x '/kubernetes/(aio/)?client/api/|/kubernetes/aio/client/models/v' /opt/headgate/lib
COPY --from=wheel / /wheel/
RUN python3 -m pip --python /opt/headgate/bin/python3 install --no-compile --no-deps --no-index \
        --disable-pip-version-check --root /own --find-links /wheel headgate \
    && python3 -m compileall -q --invalidation-mode unchecked-hash -s /own /own

FROM docker.io/library/python:3.11-slim-bookworm

COPY --from=build /opt/headgate /opt/headgate
COPY --from=build /own /
ENV PATH=/opt/headgate/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
LABEL org.opencontainers.image.title="headgate" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["headgate"]
CMD ["run"]
