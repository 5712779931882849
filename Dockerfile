# docker build -t student-connect . && docker run -p 8000:8000 -v student-connect:/data student-connect
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/student-connect
COPY requirements.lock .
RUN /opt/student-connect/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN /opt/student-connect/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data student-connect \
 && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/student-connect /opt/student-connect
ENV PATH=/opt/student-connect/bin:$PATH DATA_DIR=/data HOST=0.0.0.0 PORT=8000 PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
EXPOSE 8000 8000/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", \
  "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/readyz', timeout=2)"]
CMD ["student-connect", "serve"]
