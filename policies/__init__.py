"""One policy a file; `availability_first` composes them. A user's own is a small object with `name` and `judge`."""

from phasegate.core.rules import Admit, Never, Question, UserPolicy, Wait
from phasegate.policies.availability import AvailabilityFirst, availability_first
from phasegate.policies.supported_images import SupportedImage

__all__ = [
    "Admit",
    "AvailabilityFirst",
    "Never",
    "Question",
    "SupportedImage",
    "UserPolicy",
    "Wait",
    "availability_first",
]
