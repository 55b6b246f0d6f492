FROM python:3.11-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /srv/vestibule
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
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
