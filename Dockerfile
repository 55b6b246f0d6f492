FROM python:3.11-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /srv/vestibule
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
# --build-arg ARGON2_CFLAGS="-O3 -march=x86-64-v3" builds Argon2 for the processors that the image shall run on (docs/operations.md).
ARG ARGON2_CFLAGS=""
RUN if [ -n "$ARGON2_CFLAGS" ]; then apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && \
    CFLAGS="$ARGON2_CFLAGS" pip install --no-cache-dir --force-reinstall --no-deps --no-binary argon2-cffi-bindings \
    "$(pip freeze | grep -i '^argon2-cffi-bindings==')" && apt-get purge -y gcc libc6-dev && apt-get autoremove -y && \
    rm -rf /var/lib/apt/lists/*; fi
COPY manage.py ./
COPY identity identity
COPY flows flows
COPY actions actions
COPY templates templates
COPY docs/examples docs/examples
RUN useradd --system --home-dir /srv/vestibule vestibule
USER vestibule
EXPOSE 4433 4434
CMD ["python", "manage.py", "serve"]
