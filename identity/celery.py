"""The Celery application: used where `deliveries.broker_url` names a broker, and by `manage.py worker`.

The outbox table is the truth; the broker only wakes workers up. So a message of the broker may be lost or come twice.
"""

from celery import Celery

from identity import config

app = Celery("vestibule", broker=str(config.current().get("deliveries.broker_url") or "memory://"))
app.conf.update(
    include=["actions.delivery.tasks"],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=1.0,
    broker_transport_options={
        "visibility_timeout": 120,  # seconds; longer than the longest attempt
        "unacked_restore_throttle": 1,
        "unacked_restore_interval": 5,
        "socket_connect_timeout": 1.0,
        "socket_timeout": 5.0,
    },
    worker_enable_remote_control=False,
)
app.set_default()
