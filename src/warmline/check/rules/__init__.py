"""
The rules: one module each, listed here in the order of their ids, which are never reused.
"""

from __future__ import annotations

from ..finding import Finding
from ..project import Project
from . import (
    callback_waits,
    client_closed_in_handler,
    client_per_invocation,
    concurrency_over_budget,
    credentials_in_code,
    credentials_in_template,
    database_user_admin,
    database_user_password,
    explicit_aws_keys,
    iam_auth_unused,
    loop_per_invocation,
    max_idle_time_off,
    max_idle_time_unset,
    memory_default,
    memory_out_of_range,
    min_pool_size,
    no_bytecode,
    no_private_path,
    old_driver,
    open_access_list,
    operation_in_snapshot,
    outside_endpoint_vpc,
    privatelink_ports,
    reserved_variable,
    secret_per_invocation,
    secret_printed,
    srv_max_hosts_invalid,
    srv_max_hosts_missing,
    sts_regional_endpoints,
    timeout_below_selection,
    wide_access_list,
)
from .rule import Rule

RULES: tuple[Rule, ...] = (
    # reuse-client
    client_per_invocation.RULE,
    client_closed_in_handler.RULE,
    # one-loop
    loop_per_invocation.RULE,
    # event-loop
    callback_waits.RULE,
    # limit-hosts
    srv_max_hosts_missing.RULE,
    srv_max_hosts_invalid.RULE,
    # idle-time
    max_idle_time_unset.RULE,
    max_idle_time_off.RULE,
    # pool-size
    min_pool_size.RULE,
    # iam-auth
    credentials_in_code.RULE,
    credentials_in_template.RULE,
    iam_auth_unused.RULE,
    explicit_aws_keys.RULE,
    secret_printed.RULE,
    secret_per_invocation.RULE,
    database_user_password.RULE,
    database_user_admin.RULE,
    # narrow-access-list
    open_access_list.RULE,
    wide_access_list.RULE,
    # private-network
    no_private_path.RULE,
    outside_endpoint_vpc.RULE,
    privatelink_ports.RULE,
    # memory
    memory_default.RULE,
    memory_out_of_range.RULE,
    # deadline
    timeout_below_selection.RULE,
    # sts-region
    reserved_variable.RULE,
    sts_regional_endpoints.RULE,
    # connection-budget
    concurrency_over_budget.RULE,
    # connect-at-init
    no_bytecode.RULE,
    # thaw
    old_driver.RULE,
    # snapstart
    operation_in_snapshot.RULE,
)


class UnknownRuleError(LookupError):
    """
    There is no rule with this id.
    """


def rule(rule_id: str) -> Rule:
    """
    Look up a rule by its id (``WL101``) or its name (``client-per-invocation``).

    :raises UnknownRuleError: there is none; the message says where they are listed.
    """
    for candidate in RULES:
        if rule_id in (candidate.id, candidate.name):
            return candidate
    raise UnknownRuleError(f"no rule {rule_id!r}; `warmline rule` lists them")


def findings(project: Project, rules: tuple[Rule, ...] = RULES) -> tuple[Finding, ...]:
    """
    Return what the rules find, in the order of files and lines.
    """
    found = (finding for each in rules for finding in each.match(each, project))
    # A module that several deployments call is in the facts of each.
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: (finding.location, finding.rule)))


__all__ = ["RULES", "Rule", "UnknownRuleError", "findings", "rule"]
