"""Description of this package for Airflow's providers manager; imports no Airflow."""

from __future__ import annotations

from kada_athena_async.version import __version__

_MODULES = "kada_athena_async.airflow"


def get_provider_info() -> dict[str, object]:
    """The package as an Airflow provider, in the form of Airflow's ``provider_info.schema.json``.

    Named by the entry point ``apache_airflow_provider``; Airflow calls it whenever it starts.
    """
    name = "Kada Athena"
    return {
        "package-name": "kada-athena-async",
        "name": name,
        "description": "Extracts AWS Athena's metadata and query history, and delivers them.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": name,
                "external-doc-url": "https://docs.aws.amazon.com/athena/",
                "tags": ["aws"],
            }
        ],
        "operators": [{"integration-name": name, "python-modules": [f"{_MODULES}.operator"]}],
        "hooks": [{"integration-name": name, "python-modules": [f"{_MODULES}.hook"]}],
        "extra-links": [f"{_MODULES}.links.LandingLink"],
    }
