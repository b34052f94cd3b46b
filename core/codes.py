"""The numbers inside the columns: what each bit and each place of a row means.

The compiled kernel has the same names with the same numbers (`kernel.CODES`); a test compares the two.
"""

from __future__ import annotations

from typing import Final

# --- what was written: one byte a page of each large table, one bit a column (`columns`) ------------------------------
WROTE_LIFE: Final = 1
WROTE_FLAG: Final = 2
WROTE_VERSION: Final = 4
WROTE_FAILED: Final = 16
WROTE_IDENTITY: Final = 32
WROTE_OBSERVED: Final = 64
WROTE_DEADLINE: Final = 128
WROTE_ORDER: Final = 1
WROTE_SITE: Final = 1
WROTE_WAIT: Final = 2
WROTE_BEGUN: Final = 4
WROTE_STATUS: Final = 1
WROTE_MARK: Final = 2
WROTE_LIMITS: Final = 4
WROTE_CODE: Final = 8
WROTE_TALLY: Final = 16
WROTE_LINK: Final = 32
WROTE_CLOCK: Final = 64
WROTE_ALL: Final = 255

# --- an instance -----------------------------------------------------------------------------------------------------
STATE_BITS: Final = 15  # `life` & STATE_BITS is a `Life`; `life` >> HEALTH_SHIFT a `Health`
HEALTH_SHIFT: Final = 4

# `flag`: the first four are `roster`'s
PROTECTED: Final = 1
PROTECTED_FROM_SCALE_IN: Final = 2
SKIPPED: Final = 4
OFF_MODEL: Final = 8
BROKEN: Final = 16  # has failed and was not upgraded or restored since: never `current` (semantics 8)
REFUSED: Final = 32  # a user's policy answered `never` when the attempt was made
TOO_LATE: Final = 64  # joined pending after its set's attempt had ended: not eligible in that rollout (semantics 5)
SWAPPED: Final = 64  # the same bit in `restoring`: the target is on it, and another version is what it had before
UNANSWERED: Final = 128  # is being restored because a command timed out: unknown what is on it, should that fail

# `deadline` has a time modulo `DEADLINES`; timeouts are bounded so that it stays apart from every other (`deadline_of`)
DEADLINES: Final = 2**32
TIMEOUT_MS_MAX: Final = 2**31 - 1  # 24 days and 20 hours

# `observed` has a time + 1 in 48 bits, the lowest 16 first; 0 is never
OBSERVED: Final = 3
TIME_MAX: Final = 2**48 - 2  # ms: the year 10889

# --- a bucket: the instances of one set with one phase ordering number, one cell and one upgrade domain ---------------
# `site`: six numbers a bucket
SITE_SET: Final = 0
SITE_CELL: Final = 1
SITE_DOMAIN: Final = 2
SITE_NUMBER: Final = 3
SITE_FIRST: Final = 4  # its run in `order`
SITE_COUNT: Final = 5
SITE: Final = 6
# `wait`: three counts a bucket
WAIT_PENDING: Final = 0
WAIT_BAD: Final = 1  # pending and not healthy
WAIT_FLIGHT: Final = 2
WAIT: Final = 3
LATELY_MAX: Final = 255  # of `begun`

# --- a set -----------------------------------------------------------------------------------------------------------
# `status`
NONE: Final = 0
WAITING: Final = 1
ROLLING: Final = 2
COMPLETED: Final = 3
FAULTED: Final = 4
CANCELLED: Final = 5
# `mark`
CANCELLING: Final = 1  # ends as cancelled once nothing is in flight
LEFT: Final = 2  # opted out or turned ineligible: counts neither for nor against its rollout
DELAYED: Final = 4  # armed: the start instant of section 4
RESTING: Final = 8  # armed: the pause between batches
SHUT: Final = 16  # outside its maintenance windows
UNFIT: Final = 32  # not eligible were it to begin now
BATCHING: Final = 64  # a batch has begun and not ended
# `option`
PRIORITIZE: Final = 1
CROSS_ZONE: Final = 2
FABRIC: Final = 4
ROLLBACK: Final = 8
SHRINKS: Final = 16
OF_SET: Final = 32
MANUAL_SET: Final = 64  # this attempt is part of a manual rollout
# `code`
NO_ERROR: Final = 0
TOO_MANY_UPGRADED_UNHEALTHY: Final = 1
TOO_MANY_UNHEALTHY_BEFORE: Final = 2
TOO_MANY_UNHEALTHY: Final = 3
REFUSED_BY_POLICY: Final = 4
# `percent`: four a set
BATCH_PERCENT: Final = 0
UNHEALTHY_PERCENT: Final = 1
UPGRADED_PERCENT: Final = 2
PERCENT: Final = 4
# `tally`: eighteen counts a set; the first ten are how many instances are in each `Life`
TALLY_TOTAL: Final = 10
TALLY_BAD: Final = 11  # not healthy, whatever the state
TALLY_UPGRADED_BAD: Final = 12  # upgraded and not healthy
TALLY_FLIGHT: Final = 13
TALLY_BATCHES: Final = 14  # begun in this attempt
TALLY_UNRESTORED: Final = 15  # failed out of `restoring` in this attempt
TALLY_TOO_LATE: Final = 16  # pending and `TOO_LATE`
TALLY: Final = 18  # one to spare, so that rows stay aligned to 8 bytes
# `link`: eight numbers a set
LINK_ROLLOUT: Final = 0
LINK_PHASE: Final = 1
LINK_ATTEMPT: Final = 2
LINK_HOLD: Final = 3  # the held cell, -1 for none
LINK_TARGET: Final = 4
LINK_REGION: Final = 5
LINK_BUCKET: Final = 6
LINK_BUCKETS: Final = 7
LINK: Final = 8
# `clock`: five times or spans a set, ms
CLOCK_BEGAN: Final = 0
CLOCK_DELAY: Final = 1
CLOCK_REST: Final = 2
CLOCK_WINDOW: Final = 3
CLOCK_PAUSE: Final = 4  # the length of the pause between batches
CLOCK: Final = 5

# --- a rollout -------------------------------------------------------------------------------------------------------
# `course`
RUNNING: Final = 1
RO_COMPLETED: Final = 2
RO_FAULTED: Final = 3
RO_HALTED: Final = 4
RO_CANCELLED: Final = 5
# `trait`
PAUSED: Final = 1
PHASED: Final = 2
BAKING: Final = 4
STOPPING: Final = 8
MANUAL: Final = 16
# `plan`: eight numbers a rollout
PLAN_PHASE: Final = 0  # the open one; the last one judged, once the rollout has ended
PLAN_PHASES: Final = 1
PLAN_OPEN: Final = 2  # attempts of the open phase that have not ended
PLAN_ALIVE: Final = 3  # attempts that have not ended
PLAN_FAULTED: Final = 4
PLAN_CANCELLED: Final = 5  # those that left aside
PLAN_LOST: Final = 6  # of the open phase, in sets that another rollout has taken since
PLAN_ELIGIBLE: Final = 7
PLAN: Final = 8
# `dial`: four times a rollout
DIAL_PAUSED: Final = 0
DIAL_BAKED: Final = 1
DIAL_OPENED: Final = 2
DIAL_ENDED: Final = 3
DIAL: Final = 4

# --- the fleet: `sums` -----------------------------------------------------------------------------------------------
SUM_FLIGHT: Final = 0
SUM_BAD: Final = 1
SUM_TOTAL: Final = 2
SUM: Final = 4

# --- what a step leaves in the trace; each record is its operation and then the numbers named ------------------------
T_BECAME: Final = 1  # set, state, cause, count, slots...
T_IGNORED: Final = 2  # set, what, why, count, slots...
T_STARTED: Final = 3  # set, bucket, count, slots...
T_ATTEMPT_ENDED: Final = 4  # set, status, code
T_PHASE_OPENED: Final = 5  # rollout, phase
T_PHASE_ENDED: Final = 6  # rollout, phase, succeeded, lost, eligible
T_ROLLOUT_ENDED: Final = 7  # rollout, course
T_ARMED: Final = 8  # timer kind, set or rollout
T_FAILED_MORE: Final = 9  # slot, an older version that failed there

# why a report was ignored
LATE: Final = 1
STALE: Final = 2
DUPLICATE: Final = 3
IS_GONE: Final = 4

# what made an instance enter a state
BY_BATCH: Final = 0
BY_SIGNAL: Final = 1
BY_DEADLINE: Final = 2
BY_ROLLOUT: Final = 3
BY_SCALING: Final = 4
BY_MODEL: Final = 5
BY_POLICY: Final = 6
BY_PROTECTION: Final = 7

# kinds of timers
TIMER_DEADLINE: Final = 0
TIMER_DELAY: Final = 1
TIMER_REST: Final = 2
TIMER_BAKE: Final = 3
TIMER_WINDOW: Final = 4

# what keeps a batch from starting: one bit a rule, so that all of them are reported
NO_ATTEMPT: Final = 1
ENDED: Final = 2
IS_CANCELLED: Final = 4
IS_PAUSED: Final = 8
PHASE_SHUT: Final = 16
IN_FLIGHT: Final = 32
NOT_BEFORE: Final = 64
WINDOW_SHUT: Final = 128
PAIR_AT_WORK: Final = 256
GROUP_FULL: Final = 512
CELL_BUSY: Final = 1024
NOT_ELIGIBLE: Final = 2048
UPGRADED_UNHEALTHY: Final = 4096
SET_UNHEALTHY: Final = 8192
