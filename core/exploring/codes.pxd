"""The numbers of acts and promises as C knows them (`explorer.pyx` compares them with Python's), and bounds."""

cdef enum:
    # `Act`
    A_START = 0
    A_ANSWER = 1
    A_FAIL = 2
    A_HEALTHY = 3
    A_UNHEALTHY = 4
    A_STALE = 5
    A_LATE = 6
    A_DUPLICATE = 7
    A_REMOVE = 8
    A_ADD = 9
    A_DEADLINE = 10
    A_ISSUE = 11
    A_EXECUTE = 12
    A_MAINTENANCE = 13
    A_DELAY = 14
    A_REST = 15
    A_WINDOW = 16
    A_BAKE = 17
    A_PAUSE = 18
    A_RESUME = 19
    A_CANCEL = 20
    A_STOP = 21
    A_ORDER = 22
    A_CRASH = 23
    ACTS = 24
    # `Promise`
    PAIRS_APART = 1
    CELLS_APART = 2
    PHASES_IN_ORDER = 3
    BATCH_WITHIN_CAP = 4
    HEALTHY_ENOUGH = 5
    NOT_AFTER_THE_END = 6
    PROMOTED_BY_HEALTH = 7
    OWN_DISK_BACK = 8
    TARGET_UNTOUCHED = 9
    MANUAL_NEVER_RESTORES = 10
    COUNTS_ADD_UP = 11
    COMMANDS_AS_RECORDED = 12
    EVERY_ROLLOUT_ENDS = 13
    EVERYONE_UPGRADED = 14
    SMALL_SETS_END = 15
    LATE_MOVES_NOTHING = 16
    GROUPS_WITHIN_LIMITS = 17
    NOT_BEFORE_ITS_TIME = 18
    LOWER_NUMBERS_FIRST = 19
    DOMAINS_FINISHED = 20
    LIVES_AS_WRITTEN = 21
    STOPPED_FOR_A_REASON = 22
    # where an act leads (`promises.LED`)
    BACK = 254
    UNSAID = 255
    # a command on its way
    RECORDED = 0
    ISSUED = 1
    EXECUTED = 2
    UNSURE = 3
    # what a budget without bound is, and flags and traits that the kernel does not name
    ANY = 255
    PROTECTED = 1
    SKIPPED = 4
    MANUAL = 16
    STATUSES = 6
    # how much there may be
    SLOTS = 64
    SETS = 16
    ROLLOUTS = 8
    PURSES = 16
    RECORDS = 256
    SET_BYTES = 20
    COUNTED = 14  # the first counts of a set: the states, all, not healthy, upgraded and not healthy, in flight
    ROLLOUT_BYTES = 34
    REST_BYTES = 24
    STALE_PURSE = 2  # where in what is left the budget of stale reports stands
    CONTEXT_BYTES = 2048
    KEY_BYTES = 512
    KEY_WORDS = 64
    BLOCK = 65536  # keys
