"""Airflow's AWS connection as the identity of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    BaseHook,
)

from kada_athena_async.airflow.outcome import is_final
from kada_athena_async.airflow.settings import AwsAccess, Job, make_job, sites_of
from kada_athena_async.config import Source
from kada_athena_async.errors import ConfigError, KadaAthenaError, Problem

DEFAULT_CONN_ID = "aws_default"

NOWHERE = Path("/nowhere")
"""Stands in for an output directory where sites are only listed; nothing is written there."""


@contextmanager
def as_airflow_errors() -> Iterator[None]:
    """Raise our errors as Airflow's: with or without another try.

    Raises:
        AirflowFailException: It would fail too: configuration, credentials that AWS refuses, a
            right that is missing, or a high-water mark that cannot be trusted.
        AirflowException: It may do: AWS, the landing or the disk failed.
    """
    try:
        yield
    except KadaAthenaError as exc:
        kind = AirflowFailException if is_final(exc) else AirflowException
        raise kind(str(exc)) from exc


class KadaAthenaHook(BaseHook):
    """AWS connection and configuration of a run.

    Args:
        aws_conn_id: A connection of type "Amazon Web Services": keys or a profile, ``region_name``,
            and in its extras ``role_arn`` and ``assume_role_kwargs`` (``ExternalId``). None, or a
            missing ``aws_default``, stands for the worker's own credentials.
    """

    conn_name_attr = "aws_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    hook_name = "Kada Athena"

    def __init__(self, aws_conn_id: str | None = DEFAULT_CONN_ID) -> None:
        super().__init__()
        self.aws_conn_id = aws_conn_id

    def get_conn(self) -> AwsAccess:
        """The fields of the connection.

        Raises:
            ConfigError: It does not exist.
        """
        if self.aws_conn_id is None:
            return AwsAccess()

        try:
            connection = self.get_connection(self.aws_conn_id)
        except AirflowNotFoundException:
            if self.aws_conn_id == DEFAULT_CONN_ID:
                self.log.info(
                    "no connection %s: using the worker's own credentials", DEFAULT_CONN_ID
                )
                return AwsAccess()

            remedy = "there is no such connection; add it, or give the id of another one"
            raise ConfigError(
                [Problem("aws_conn_id", repr(self.aws_conn_id), remedy)], source="task"
            ) from None

        # Heavy, and of no use while a DAG file is read.
        from airflow.providers.amazon.aws.utils.connection_wrapper import AwsConnectionWrapper

        said = AwsConnectionWrapper(conn=connection)
        return AwsAccess(
            conn_id=self.aws_conn_id,
            key=said.aws_access_key_id or "",
            secret=said.aws_secret_access_key or "",
            session_token=said.aws_session_token or "",
            profile=said.profile_name or "",
            region=said.region_name or "",
            role=said.role_arn or "",
            role_method=said.assume_role_method or "",
            role_arguments=said.assume_role_kwargs,
            endpoint_url=said.get_service_endpoint_url("athena") or "",
        )

    def site_names(self, config: Source) -> list[str]:
        """The names of the configuration's sites, for a task to be mapped over.

        Args:
            config: The configuration's fields, or its JSON file.

        Raises:
            AirflowFailException: With all problems of all sites at once, or because it lists none.
        """
        with as_airflow_errors():
            sites = sites_of(config, self.get_conn(), scratch=NOWHERE)
            names = [site.name for site in sites if site.name]
            if not names:
                remedy = "list them, each with its name and fields; or run one task without site"
                raise ConfigError([Problem("sites", "(empty)", remedy)])

        return names

    def make_job(
        self, config: Source, *, name: str, site: str, hwm_path: str | None, scratch: Path
    ) -> Job:
        """The job of a task with this connection; see ``settings.make_job``.

        Raises:
            ConfigError: With all problems at once.
        """
        return make_job(
            config, self.get_conn(), name=name, site=site, hwm_path=hwm_path, scratch=scratch
        )
