"""``iam-policy``: the least rights that a configuration needs."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import ConfigFile, Name, Settings, Sites
from kada_athena_async.cli.output import Output


class Form(str, enum.Enum):
    """Values of ``--format``."""

    JSON = "json"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"


class For(str, enum.Enum):
    """Values of ``--for``."""

    RUN = "run"
    CALLER = "caller"
    LANDING = "landing"
    HWM_STORE = "hwm_store"


@command
def iam_policy(
    document: Output,
    config: ConfigFile = None,
    name: Name = "athena",
    form: Annotated[Form, typer.Option("--format", help="Language of the document.")] = Form.JSON,
    account: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="Account of the estate.  [default: the role's, else where it is deployed]",
            show_default=False,
        ),
    ] = "",
    optional: Annotated[
        bool, typer.Option("--optional", help="With rights whose absence only costs something.")
    ] = False,
    principal: Annotated[
        For,
        typer.Option(
            "--for",
            help="Whose rights: of who extracts, of who assumes the role, of the landing's or the "
            "HWM's own identity.",
        ),
    ] = For.RUN,
    sites: Sites = None,
    settings: Settings = None,
) -> int:
    """Print the least-privilege policy for this configuration; AWS is not asked.

    Resources are narrowed to its workgroups, catalogs, schemas and buckets.

    \b
    Examples:
      kada-athena-async iam-policy -c kada_athena_extractor_config.json
      kada-athena-async iam-policy --format terraform --account 123456789012 --optional
    """
    from kada_athena_async.cli.work.iam_policy import PolicyRequest, show_policy

    request = PolicyRequest(
        config=config,
        name=name,
        settings=tuple(settings or ()),
        sites=tuple(sites or ()),
        form=form.value,
        account=account,
        has_optional=optional,
        principal=principal.value,
    )
    return show_policy(document, request)
