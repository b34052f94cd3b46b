from typing_extensions import disjoint_base

from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.subject import Open, Subject
from phasegate.core.exploring.symmetry import Symmetry
from phasegate.core.views import Views

@disjoint_base
class Ground:
    subject: Subject
    open: Open
    v: Views
    group: tuple[Symmetry, ...]
    freedom: Freedom
    is_symmetric: bool
