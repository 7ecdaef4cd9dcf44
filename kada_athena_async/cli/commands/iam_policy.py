"""``iam-policy``: the least rights that a configuration needs."""

from __future__ import annotations

from typing import Any, Literal

from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import CONFIG, NAME, SETTINGS, SITES, option, switch

# fmt: off
FORM = option("form", Literal["json", "cloudformation", "terraform"], "--format", default="json",
              show_default=True, help="Language of the document.")
ACCOUNT = option("account", str, default="", metavar="ID",
                 help="AWS account of Athena.  [default: the role's, else where it is deployed]")
OPTIONAL = switch("has_optional", "--optional", help="Include rights that a run can do without.")
PRINCIPAL = option("principal", Literal["run", "caller", "landing", "hwm_store"], "--for",
                   default="run", show_default=True,
                   help="Whose policy: that of the run, of whoever assumes its role, or of the "
                        "identity of the landing or of the high-water mark.")
# fmt: on


@command(CONFIG, NAME, FORM, ACCOUNT, OPTIONAL, PRINCIPAL, SITES, SETTINGS)
def iam_policy(document: Output, **asked: Any) -> int:
    """Print the least-privilege policy for this configuration; AWS is not asked.

    Resources are narrowed to its workgroups, catalogs, schemas and buckets.

    \b
    Examples:
      kada-athena-async iam-policy -c kada_athena_extractor_config.json
      kada-athena-async iam-policy --format terraform --account 123456789012 --optional
    """
    from kada_athena_async.cli.work.iam_policy import show_policy

    return show_policy(document, **asked)
