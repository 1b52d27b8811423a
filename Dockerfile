# The operator's image. Dependencies come from the lock file, with their hashes; the second stage
# takes over nothing but the finished virtual environment.
FROM docker.io/library/python:3.11-slim-bookworm AS build

# Dependencies first: a change of our code then rebuilds only the last layer.
WORKDIR /build
RUN python3 -m venv /opt/headgate
COPY requirements.txt ./
RUN /opt/headgate/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements.txt

# The build backend comes in an environment of its own: the operator needs none at run time.
COPY hack/requirements.txt ./build-requirements.txt
RUN python3 -m venv /opt/tools \
    && /opt/tools/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r build-requirements.txt
COPY pyproject.toml README.md ./
COPY operator ./operator
RUN /opt/tools/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation -w dist . \
    && /opt/headgate/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps dist/*.whl \
    # Tests of libraries and pip itself are never run here.
    && find /opt/headgate -type d -name tests -path '*/site-packages/*' -prune -exec rm -rf {} + \
    && rm -rf /opt/headgate/lib/python3*/site-packages/pip \
        /opt/headgate/lib/python3*/site-packages/pip-*.dist-info /opt/headgate/bin/pip* \
    # Compiled beforehand, because the file system is read-only at run time.
    && python3 -m compileall -q -j 2 /opt/headgate/lib

FROM docker.io/library/python:3.11-slim-bookworm

COPY --from=build /opt/headgate /opt/headgate
ENV PATH=/opt/headgate/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
LABEL org.opencontainers.image.title="headgate" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["headgate"]
CMD ["run"]
