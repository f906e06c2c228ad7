# Into the system's Python, by way of an exported list with hashes; an image without a shell runs it.
FROM python:3.12-slim AS list
RUN pip install --no-cache-dir uv==0.13.9
COPY prod/uv.lock prod/pyproject.toml /project/
RUN uv export --project /project --locked --no-dev --format requirements.txt --output-file /requirements.txt

FROM python:3.12-slim AS packages
COPY --from=list /requirements.txt /
RUN python -m venv /venv && /venv/bin/pip install --require-hashes --no-deps -r /requirements.txt

FROM gcr.io/distroless/python3-debian12
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH
ENTRYPOINT ["/venv/bin/python", "-m", "app"]
