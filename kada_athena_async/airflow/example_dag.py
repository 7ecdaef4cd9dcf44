"""Every night a task for each site extracts, delivers and moves the high-water mark.

Airflow's executor spreads the tasks over its workers (Celery, Kubernetes); a site's HWM lies in
``hwm_store`` and its extracts go to ``landing``, so any worker may run any try of any site.

How many at a time is Airflow's to say: ``max_active_tis_per_dagrun`` for this task, a pool
(``pool="athena"``) where other DAGs ask the same accounts. AWS counts calls per account and region:
sites in different ones do not slow each other, sites that share one should share its quotas by a
smaller ``quota_share`` each, or by a pool with one slot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from airflow.sdk import Param, dag, task

from kada_athena_async.airflow import KadaAthenaHook, KadaAthenaOperator


@dag(
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001  # Airflow takes it in its own zone
    catchup=False,  # a run reads from the HWM on: what was missed is in the next one
    max_active_runs=1,
    params={"config": Param("/opt/airflow/config/kada_athena_extractor_config.json")},
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
)
def kada_athena() -> None:
    """Maps the sites of the configuration over the executor."""

    @task
    def sites(params: dict[str, str] | None = None) -> list[str]:
        return KadaAthenaHook("aws_default").site_names((params or {})["config"])

    @task
    def summary(results: Sequence[dict[str, dict[str, int]]]) -> dict[str, int]:
        """Rows of all sites, by kind."""
        total: Counter[str] = Counter()
        for result in results:
            total.update(result["rows"])

        return dict(total)

    extracts = KadaAthenaOperator.partial(
        task_id="extract",
        config="{{ params.config }}",
        aws_conn_id="aws_default",
        map_index_template="{{ task.site }}",
        max_active_tis_per_dagrun=16,
        execution_timeout=timedelta(hours=6),
    ).expand(site=sites())
    summary(extracts.output)


kada_athena()
