# kafkactl as an image: `docker build -t kafkactl .`, then for example
#   docker run --rm --network host -v "$PWD/topics.yaml:/etc/kafkactl/topics.yaml:ro" kafkactl diff
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
COPY pyproject.toml setup.py README.md LICENSE /src/
COPY kafkactl /src/kafkactl
# What --version says: --build-arg KAFKACTL_COMMIT=$(git rev-parse HEAD)
ARG KAFKACTL_COMMIT=
# The environment's own pip stays behind: what runs needs none.
RUN python -m venv /build && python -m venv --without-pip /opt/kafkactl \
 && /build/bin/pip --python /opt/kafkactl/bin/python install --no-cache-dir '/src[exporter]'

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/kafkactl /opt/kafkactl
ENV PATH=/opt/kafkactl/bin:$PATH KAFKACTL_CATALOG=/etc/kafkactl/topics.yaml
WORKDIR /tmp
USER 65532:65532
ENTRYPOINT ["kafkactl"]
