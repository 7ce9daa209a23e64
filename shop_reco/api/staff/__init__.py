"""What staff may ask and do through the API: the services and selectors of the admin, under its permissions."""

from .mutations import StaffMutation
from .queries import StaffQuery

__all__ = ["StaffMutation", "StaffQuery"]
