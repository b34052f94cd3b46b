"""Which rollouts a simulation begins, and when: the one that was asked for, then whatever a new version calls for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import define, field

from phasegate.core.engine import Engine
from phasegate.core.errors import UnknownName
from phasegate.core.events import Applied, Configured, Event, Published, Replicated, Rollout
from phasegate.core.model import Fleet
from phasegate.core.state import State
from phasegate.policies.versions import newest_target


@define(kw_only=True)
class Beginnings:
    """The rollouts still to begin. Every image gets one for each time that it has something new, and never another.

    `image`, `target`, `sets` and `manual` are what was asked for, as in `simulate`; `start` is when (ms UTC).
    """

    engine: Engine
    image: str | None
    target: str | None
    sets: Sequence[str] | None
    manual: bool
    start: int
    _fresh: set[str] = field(init=False, repr=False)  # images with something new that no rollout was begun for
    _wakes: list[tuple[int, str]] = field(init=False, repr=False)  # when which image gets something new, the last first
    _images: dict[str, str] = field(init=False, repr=False)  # of each set, by their names
    _only: str | None = field(default=None, init=False, repr=False)  # the only image to follow up; "": none
    _may_begin: bool = field(default=True, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        fleet = self.engine.fleet
        self._fresh = {image.name for image in fleet.images}
        self._images = {one.full_name: one.image.name for one in fleet.sets}
        self._wakes = sorted({wake for wake in _announced(fleet) if wake[0] > self.start}, reverse=True)

    def first(self) -> Rollout | None:
        """Return the rollout that was asked for by name, None if none was or its first version is still announced.

        `UnknownName` if an image is needed, none is given, and the fleet has another number than one.
        """
        is_manual = self.manual or self.sets is not None
        if self.image is None and self.target is None and not is_manual:
            return None
        image = self._image()
        follows = self.target is None and not is_manual
        self._only = image if follows else ""
        if follows and self._is_yet_to_come(image):
            return None
        sets = None
        if is_manual:
            own = (one.full_name for one in self.engine.fleet.sets if one.image.name == image)
            sets = tuple(own if self.sets is None else self.sets)
        self._fresh.discard(image)
        return Rollout(image, self.start, self.target, sets, "user" if is_manual else "platform")

    def next_time(self) -> int | None:
        """Return when an image gets the next version that the fleet file announces (ms UTC), None if none is left."""
        return self._wakes[-1][0] if self._wakes else None

    def wake(self, now: int) -> bool:
        """Take note of the time; return whether a rollout may begin now, which a state of `now` can tell."""
        while self._wakes and self._wakes[-1][0] <= now:
            self._fresh.add(self._wakes.pop()[1])
            self._may_begin = True
        return self._may_begin

    def note(self, event: Event, *, has_ended: bool) -> None:
        """Take note of a step: something new may be there, or a rollout may have ended and made room for the next."""
        if isinstance(event, Published | Replicated):
            self._fresh.add(event.image)
            self._may_begin = True
        elif isinstance(event, Configured):  # perhaps to an image that is new to the set
            self._images[event.model.full_name] = event.model.image.name
            self._fresh.add(event.model.image.name)
            self._may_begin = True
        elif isinstance(event, Applied):  # the set may be eligible by that
            self._fresh.add(self._images[event.set])
            self._may_begin = True
        elif has_ended:
            self._may_begin = True

    def due(self, state: State) -> list[Rollout]:
        """Take the rollouts that begin now: of images that have something new for somebody, and no rollout running."""
        if not self._may_begin:
            return []
        self._may_begin = False
        images = [
            image
            for image in self.engine.candidates_for_update(state)
            if image in self._fresh and self._only in (None, image)
        ]
        self._fresh.difference_update(images)
        return [Rollout(image, state.now) for image in images]

    def _image(self) -> str:
        names = [image.name for image in self.engine.fleet.images]
        if self.image is not None:
            return self.image
        if len(names) != 1:
            raise UnknownName(f"which image? the fleet has {len(names)}: {', '.join(names)}")
        return names[0]

    def _is_yet_to_come(self, name: str) -> bool:
        """Whether no version of the image is to be had now, and the fleet file announces one."""
        fleet = self.engine.fleet
        regions = [region.name for region in fleet.regions]
        return any(of == name for _, of in self._wakes) and all(
            newest_target(image, regions, self.start) is None for image in fleet.images if image.name == name
        )


def _announced(fleet: Fleet) -> Iterator[tuple[int, str]]:
    """Yield when (ms UTC) a version of which image becomes available somewhere."""
    for image in fleet.images:
        for version in image.versions:
            yield version.published_at_ms, image.name
            for replica in version.regions:
                yield replica.replicated_at_ms, image.name
