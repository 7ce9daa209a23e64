"""What earlier feedback answers is told from the lists that are still kept."""

from django.db import migrations

SILENT = ("REMAINDER", "RULE")
CHUNK = 500


def most(points):
    return max(sorted(points), key=lambda name: points[name]) if points else ""


def fill(apps, schema_editor):
    Feedback = apps.get_model("reco_recommendations", "Feedback")
    Slate = apps.get_model("reco_recommendations", "Slate")
    last = 0
    while rows := list(
        Feedback.objects.filter(pk__gt=last, slate_id__isnull=False).select_related("product").order_by("pk")[:CHUNK]
    ):
        last = rows[-1].pk
        slates = Slate.objects.in_bulk({row.slate_id for row in rows})
        told = [row for row in rows if _told(row, slates.get(row.slate_id))]
        Feedback.objects.bulk_update(told, ["placement", "rank", "reason", "recommender"])


def _told(row, slate):
    if slate is None or slate.shopper_id not in (None, row.shopper_id):
        return False
    item = row.product.parent_id or row.product_id
    for rank, each in enumerate(slate.items, start=len(slate.earlier) + 1):
        if each["product"] != item:
            continue
        kinds, sources = {}, {}
        for reason in each["reasons"]:
            if reason["kind"] not in SILENT:
                kinds[reason["kind"]] = kinds.get(reason["kind"], 0.0) + reason["points"]
            if reason.get("source"):
                sources[reason["source"]] = sources.get(reason["source"], 0.0) + reason["points"]
        row.placement, row.rank, row.reason, row.recommender = slate.placement, rank, most(kinds), most(sources)
        return True
    return False


class Migration(migrations.Migration):
    dependencies = [("reco_recommendations", "0012_review")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
