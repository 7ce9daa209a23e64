"""Have the roles of staff their groups, and the groups what the roles grant?"""

from __future__ import annotations

from shop_reco.staff.selectors import roles_in_want

from .findings import Finding, failing, ok, warning


def roles_have_their_groups() -> Finding:
    """What the shop took from a group stays taken, and is no fault; what was never given is one."""
    without, lacking = roles_in_want()
    if lacking:
        told = "; ".join(f"{kind}: {', '.join(sorted(names)[:3])}" for kind, names in sorted(lacking.items()))
        return failing(f"roles were not given what they grant: {told}", "Run: manage.py shop_reco_migrate")
    if without:
        return warning(
            f"roles without a group: {', '.join(sorted(without))}",
            "The group was deleted, and whoever had the role has lost it. Choose another group for it, or leave it so.",
        )
    return ok("every role has its group, with what it grants")
