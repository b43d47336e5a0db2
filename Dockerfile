FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python3 -m venv /opt/clippings
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# First what changes least, so that a change of ours rebuilds in seconds.
COPY requirements.lock ./
RUN /opt/clippings/bin/python -m pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY migrations migrations
COPY app app
RUN /opt/clippings/bin/python -m pip install --no-deps .

FROM python:3.11-slim-bookworm
COPY --from=build /opt/clippings /opt/clippings
# A volume takes over the folder's owner. The user is a number, so that Kubernetes can see that it is not root; any
# other one may be given whose group is 0, as OpenShift does.
RUN install -d -o 10001 -g 0 -m 2775 /data
USER 10001:0
WORKDIR /data
VOLUME /data
ENV PATH=/opt/clippings/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CLIPPINGS_DATABASE_URL=sqlite:////data/clippings.db
EXPOSE 8000
STOPSIGNAL SIGTERM
# Feeds name the address by which clients reach the service, which nobody inside can know: set CLIPPINGS_PUBLIC_URL.
# The check takes no proxy: http_proxy is often set for containers, and is asked for 127.0.0.1 as well.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python3", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["clippings", "serve", "--host", "0.0.0.0"]
