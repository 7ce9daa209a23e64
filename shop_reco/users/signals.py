from django.dispatch import Signal

shoppers_changed = Signal()
"""Who these shoppers are, or what they allow, changed: sent with ``shopper_ids``, inside the transaction."""
