"""The operator: one task extracts a site, delivers what it extracted, and moves the site's HWM.

The three are one task on purpose. The HWM may move only when the delivery is confirmed, and the
extracts lie on the disk of the worker that made them: a second task could run on another one.

It is not deferrable: a deferred task waits for something that goes on elsewhere, but here the work
(reading, masking, compressing, sending) is the worker's own from the first second to the last.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    BaseOperator,
)

from kada_athena_async.airflow.hook import DEFAULT_CONN_ID, KadaAthenaHook, as_airflow_errors
from kada_athena_async.airflow.links import LandingLink
from kada_athena_async.airflow.outcome import (
    console_url,
    failure_text,
    is_final_report,
    xcom,
)

if TYPE_CHECKING:
    from kada_athena_async.airflow.extraction import Extraction
    from kada_athena_async.airflow.settings import Job
    from kada_athena_async.config import Source
    from kada_athena_async.report import RunReport


class KadaAthenaOperator(BaseOperator):
    """Extracts one site since its HWM, delivers it, then moves the HWM. Safe to retry anywhere.

    What must outlive the worker has to lie elsewhere: the HWM in ``hwm_store`` (or *hwm_path*),
    the extracts in ``landing`` (or ``output_path``), else the task fails before any call. With
    landing and ``hwm_store``, leave ``output_path`` out: each try then works in a directory of its
    own, and the next one may run on any machine.

    Args:
        config: The fields of the configuration, or the path of its JSON file on the worker.
        aws_conn_id: Airflow's AWS connection; see ``KadaAthenaHook``.
        name: Name of the collector: its files, its HWM and its lock are its own. A site's are
            ``<name>-<site>``.
        site: Which of the configuration's ``sites``; map the task over them with
            ``.expand(site=...)``.
        hwm_path: File of the HWM on storage that all workers share, instead of ``hwm_store``.
    """

    template_fields: Sequence[str] = ("config", "aws_conn_id", "name", "site", "hwm_path")
    template_fields_renderers: ClassVar[dict[str, str]] = {"config": "json"}
    operator_extra_links = (LandingLink(),)
    ui_color = "#dff0ea"

    def __init__(
        self,
        *,
        config: Source,
        aws_conn_id: str | None = DEFAULT_CONN_ID,
        name: str = "athena",
        site: str = "",
        hwm_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.aws_conn_id = aws_conn_id
        self.name = name
        self.site = site
        self.hwm_path = hwm_path
        self.landing_url = ""
        self._extraction: Extraction[RunReport] | None = None

    def execute(self, context: Any) -> dict[str, object]:
        """Run; what is returned goes to XCom, see ``outcome.xcom``.

        Raises:
            AirflowFailException: Another try would fail too: configuration, credentials that AWS
                refuses, a right that is missing, or a high-water mark that cannot be trusted.
            AirflowException: Another try may do: AWS or the landing failed, or the task was killed.
        """
        with (
            as_airflow_errors(),
            tempfile.TemporaryDirectory(
                prefix="kada-athena-", ignore_cleanup_errors=True
            ) as scratch,
        ):
            return self._run(Path(scratch))

    def on_kill(self) -> None:
        """Stop the run: our queries are cancelled, nothing half-written stays published.

        Airflow calls this in a signal handler and kills the process five seconds later.
        """
        if self._extraction is not None:
            self._extraction.stop()

    def _run(self, scratch: Path) -> dict[str, object]:
        from kada_athena_async.airflow.extraction import Extraction, Stopped

        hook = KadaAthenaHook(self.aws_conn_id)
        job = hook.make_job(
            self.config, name=self.name, site=self.site, hwm_path=self.hwm_path, scratch=scratch
        )
        self.landing_url = console_url(job.config.landing)
        self._extraction = Extraction(lambda: self._extract(job))
        try:
            report = self._extraction.run()
        except Stopped:
            raise AirflowException(
                "the task was killed; the next try goes on, nothing is lost or extracted twice"
            ) from None
        finally:
            self._extraction = None

        if report.exit_code:
            kind = AirflowFailException if is_final_report(report) else AirflowException
            raise kind(failure_text(report))

        return xcom(report, job.config)

    async def _extract(self, job: Job) -> RunReport:
        from kada_athena_async.config import known_secrets
        from kada_athena_async.engine import Extractor
        from kada_athena_async.observers.logger import LoggedLines
        from kada_athena_async.redact import Redactor

        lines = LoggedLines(self.log, redact=Redactor(known_secrets(job.config)))
        async with Extractor(
            job.config, observers=[lines], name=job.name, hwm_path=job.hwm_path
        ) as extractor:
            return await extractor.run(manage_hwm=True)
