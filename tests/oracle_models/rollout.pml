/* The rules of a rollout in Promela, written from the semantics (the numbers in brackets are its sections).
 *
 * What comes before this text fits it to a scenario: constants (N instances, SETS, CELLS, PHASES, budgets), tables,
 * and one expression for each count and for each start. What comes after it are the acts, one option each. A state is
 * what is left after an act has settled; everything in between happens inside one atomic step. Variables that are
 * `hidden` are scratch: they are written before they are read, and take no part in a state.
 *
 * A rule is bent, for seeded defects, by -DCEIL, -DFORGIVE (what was rolled back is no longer bad), -DTRUST (reports
 * from before the swap count) and -DWRITTEN (pairs only as written).
 */

/* the life of an instance [8], its health, and which version is on its disk: its own, the target, nobody knows */
#define CURRENT 0
#define EXCLUDED 1
#define PENDING 2
#define REPLACING 3
#define CONFIGURING 4
#define VERIFYING 5
#define UPGRADED 6
#define RESTORING 7
#define RESTORED 8
#define FAILED 9
#define GONE 10
#define HEALTHY 0
#define UNHEALTHY 1
#define UNKNOWN 2
#define INITIALIZING 3
#define OWN 0
#define TARGET 1
#define NOBODY_KNOWS 2
#define UNANSWERED 2       /* added to the others while it is restored because a command timed out */

/* an attempt [7] and its rollout [9] */
#define WAITING 1
#define ROLLING 2
#define COMPLETED 3
#define FAULTED 4
#define CANCELLED 5
#define TOO_MANY_UPGRADED_UNHEALTHY 1
#define TOO_MANY_UNHEALTHY_BEFORE 2
#define TOO_MANY_UNHEALTHY 3
#define RUNNING 1
#define RO_COMPLETED 2
#define RO_FAULTED 3
#define RO_HALTED 4
#define RO_CANCELLED 5
#define NO_CELL CELLS

#ifdef PACKED
byte inst[N] = INSTANCES;
#define LIFE(i) (inst[i] & 15)
#define HEALTH(i) ((inst[i] >> 4) & 3)
#define DISK(i) (inst[i] >> 6)
#define PUT(i, l, h, d) inst[i] = (l) | ((h) << 4) | ((d) << 6)
#else
byte life[N] = LIVES;
byte health[N] = HEALTHS;
byte disk[N] = DISKS;
#define LIFE(i) life[i]
#define HEALTH(i) health[i]
#define DISK(i) disk[i]
#define PUT(i, l, h, d) health[i] = (h); disk[i] = (d); life[i] = (l)
#endif

#ifdef PROMISES
#define PROMISE(holds) assert(holds)
#else
#define PROMISE(holds) skip
#endif
#ifdef TOLD
#define TELL(text) printf(text)
#else
#define TELL(text) skip
#endif

#if STALES > 0
bool heard[N];     /* verifies, and a report was observed since */
#define FORGET(i) heard[i] = false
#else
#define FORGET(i) skip
#endif
#if SCALE_OUTS > 0
bool late[N];      /* joined pending after its set's attempt had ended: not eligible [5] */
#define IS_LATE(i) late[i]
#define ON_TIME(i) late[i] = false
#else
#define IS_LATE(i) false
#define ON_TIME(i) skip
#endif
#if WINDOWS > 0
bool shut[SETS] = SHUTS;
#define SHUT(s) shut[s]
#define UNSHUT(s) shut[s] = false
#else
#define SHUT(s) false
#define UNSHUT(s) skip
#endif
#if CRASHES > 0
byte wire[N];      /* its command is recorded, handed out, carried out, or nobody knows */
#define RECORDED 0
#define ISSUED 1
#define EXECUTED 2
#define UNSURE 3
#define RECORD(i) wire[i] = RECORDED
#define ARRIVED(i) (wire[i] == EXECUTED)
#else
#define RECORD(i) skip
#define ARRIVED(i) true
#endif

byte status[SETS] = WAITING;
byte code[SETS];
byte hold[SETS] = NO_CELL;
bool batching[SETS];
bool resting[SETS];
bool delayed[SETS] = DELAYS;
byte course = RUNNING;
byte phase;
bool paused;
bool baking;
bool stopping;

SCRATCH byte flying[SETS];
SCRATCH byte pending[SETS];
SCRATCH byte gate_broken[SETS]; /* the gate after a batch */
SCRATCH byte too_sick[SETS];    /* the gate before it */
SCRATCH byte has_candidate;
SCRATCH byte could_start;
SCRATCH byte extra[SETS];       /* in flight by a pick that is only looked at; 0 outside `settle` */
SCRATCH byte was_hold[SETS];
SCRATCH byte was_status[SETS];
SCRATCH byte picked[SETS];
SCRATCH byte domain;
SCRATCH byte taken_well;
SCRATCH byte moved;
SCRATCH byte again;            /* a set was picked: look at all of them again, in order */
SCRATCH byte alive;
SCRATCH byte some_faulted;
SCRATCH byte some_cancelled;
SCRATCH int lost;
SCRATCH int eligible;
SCRATCH byte s;
SCRATCH byte i;

#define BAD(i) (HEALTH(i) == UNHEALTHY || HEALTH(i) == UNKNOWN)
#define WELL(i) (LIFE(i) != GONE && !BAD(i))
#define COMMANDED(i) (LIFE(i) == REPLACING || LIFE(i) == CONFIGURING || LIFE(i) == RESTORING)
#define FLYING(i) (COMMANDED(i) || LIFE(i) == VERIFYING)
#define UNDONE(i) (LIFE(i) == RESTORED || LIFE(i) == FAILED)
#define TOUCHED(i) (LIFE(i) >= REPLACING && LIFE(i) <= FAILED)
#define ENDED(s) (status[s] >= COMPLETED)
#define OPEN(s) (PHASES == 0 || PHASE_OF[s] == phase)

/* an attempt's next batch does not wait for anything but its cell, its pair and its groups [7] */
#define MAY(s) (course == RUNNING && !paused && !stopping && !ENDED(s) && OPEN(s) && !delayed[s] && !resting[s] && !SHUT(s))

/* --- the life of an instance [8] ---------------------------------------------------------------------------------- */

inline become(i, l, h, d) {
  PUT(i, l, h, d);
  FORGET(i);
  RECORD(i)
}

inline fail(i) {
  if
  :: DISK(i) >= UNANSWERED -> become(i, FAILED, UNKNOWN, NOBODY_KNOWS)
  :: else -> become(i, FAILED, UNKNOWN, DISK(i))
  fi
}

inline back(i, unanswered) {
  PUT(i, LIFE(i), HEALTH(i), DISK(i) + unanswered);
  if
  :: ROLLBACK[SET_OF[i]] -> become(i, RESTORING, HEALTH(i), DISK(i))
  :: else -> fail(i)
  fi
}

inline answered(i) {
  if
  :: LIFE(i) == REPLACING -> become(i, CONFIGURING, INITIALIZING, TARGET)
  :: LIFE(i) == CONFIGURING -> become(i, VERIFYING, HEALTH(i), DISK(i))
  :: else -> become(i, RESTORED, INITIALIZING, OWN)
  fi
}

inline step_failed(i) {
  if
  :: LIFE(i) == RESTORING -> fail(i)
  :: else -> back(i, 0)
  fi
}

inline deadline_passed(i) {
  if
  :: LIFE(i) == RESTORING -> become(i, FAILED, UNKNOWN, NOBODY_KNOWS)
  :: LIFE(i) == VERIFYING -> back(i, 0)
  :: else -> back(i, UNANSWERED)
  fi
}

inline reported_healthy(i) {
  if
  :: LIFE(i) == VERIFYING -> become(i, UPGRADED, HEALTHY, DISK(i))
  :: else -> PUT(i, LIFE(i), HEALTHY, DISK(i))
  fi
}

inline reported_unhealthy(i) {
  PUT(i, LIFE(i), UNHEALTHY, DISK(i));
#if STALES > 0
  if
  :: LIFE(i) == VERIFYING && left_stale_reports > 0 -> heard[i] = true
  :: else
  fi
#endif
}

/* a report of healthy, observed before the swap: changes nothing; or between the swap and `verifying`: promotes nobody */
inline reported_stale(i, is_after_swap) {
#ifdef TRUST
  PROMISE(LIFE(i) != VERIFYING && (is_after_swap || HEALTH(i) == HEALTHY));
  reported_healthy(i)
#else
  if
  :: is_after_swap -> PUT(i, LIFE(i), HEALTHY, DISK(i))
  :: else
  fi
#endif
}

inline removed(i) {
  ON_TIME(i);
  become(i, GONE, 0, 0)
}

/* scale-out [9]: it becomes what its version and protection make of it; whoever joins too late waits for the next rollout */
inline added(i, what) {
#if SCALE_OUTS > 0
  late[i] = what == PENDING && ENDED(SET_OF[i]);
#endif
  become(i, what, INITIALIZING, OWN)
}

/* --- starting [6, 7] ---------------------------------------------------------------------------------------------- */

inline begin(s, c) {
  status[s] = ROLLING;
  batching[s] = true;
  hold[s] = c
}

inline start(i) {
  become(i, REPLACING, HEALTH(i), DISK(i))
}

/* --- settling [8]: gates, completion, ends of phases, ends of rollouts ---------------------------------------------- */

inline end(s, how, why) {
  status[s] = how;
  code[s] = why;
  hold[s] = NO_CELL;
  batching[s] = false;
  resting[s] = false;
  delayed[s] = false;
  UNSHUT(s);
  moved = true
}

/* a batch ends: the gate after it, then its rest; what was cancelled ends as cancelled whatever its last batch did [9] */
inline batch_ends(s) {
  if
  :: !ENDED(s) && stopping && flying[s] == 0 -> end(s, CANCELLED, 0)
  :: !ENDED(s) && !stopping && batching[s] && flying[s] == 0 ->
       batching[s] = false;
       moved = true;
       if
       :: gate_broken[s] -> end(s, FAULTED, TOO_MANY_UPGRADED_UNHEALTHY)
       :: else -> resting[s] = RESTS[s]
       fi
  :: else
  fi
}

inline hold_ends(s) {
  if
  :: hold[s] != NO_CELL && flying[s] == 0 && (paused || SHUT(s) || !has_candidate) ->
       hold[s] = NO_CELL;
       moved = true
  :: else
  fi
}

/* a set that could start in this cell now: its gates; if both let it pass, the sets after it see it at work there */
inline look(s, c) {
  if
  :: !moved && !again && !picked[s] && MAY(s) && flying[s] == 0 && could_start ->
       if
       :: gate_broken[s] -> end(s, FAULTED, TOO_MANY_UPGRADED_UNHEALTHY)
       :: else ->
            if
            :: too_sick[s] && status[s] == WAITING -> end(s, FAULTED, TOO_MANY_UNHEALTHY_BEFORE)
            :: too_sick[s] && status[s] == ROLLING -> end(s, FAULTED, TOO_MANY_UNHEALTHY)
            :: else ->
                 picked[s] = true;
                 again = true;
                 was_hold[s] = hold[s];
                 was_status[s] = status[s];
                 hold[s] = c;
                 status[s] = ROLLING
            fi
       fi
  :: else
  fi
}

inline put_back_picks() {
  for (s : 0 .. SETS - 1) {
    if
    :: picked[s] ->
         picked[s] = false;
         hold[s] = was_hold[s];
         status[s] = was_status[s];
         extra[s] = 0
    :: else
    fi
  }
}

inline completions() {
  for (s : 0 .. SETS - 1) {
    if
    :: !ENDED(s) && OPEN(s) && course == RUNNING && pending[s] == 0 && flying[s] == 0 -> end(s, COMPLETED, 0)
    :: else
    fi
  }
}

inline count_attempts() {
  alive = false;
  some_faulted = false;
  some_cancelled = false;
  for (s : 0 .. SETS - 1) {
    if
    :: OPEN(s) || stopping -> alive = alive || !ENDED(s)
    :: else
    fi;
    some_faulted = some_faulted || status[s] == FAULTED;
    some_cancelled = some_cancelled || status[s] == CANCELLED
  }
}

inline end_rollout(how) {
  course = how;
  baking = false;
  paused = false;
  stopping = false;
  moved = true;
  for (s : 0 .. SETS - 1) {
    if
    :: !ENDED(s) -> end(s, CANCELLED, 0)
    :: else
    fi
  }
}

/* whom the phase has lost of those that were eligible in it [5] */
inline count_phase() {
  lost = 0;
  eligible = 0;
  for (i : 0 .. N - 1) {
    if
    :: PHASE_OF[SET_OF[i]] == phase ->
         if
         :: LIFE(i) == PENDING && !IS_LATE(i) || UNDONE(i) -> lost++; eligible++
         :: LIFE(i) == UPGRADED && BAD(i) -> lost++; eligible++
         :: LIFE(i) == UPGRADED && !BAD(i) -> eligible++
         :: else
         fi
    :: else
    fi
  }
}

/* the sets of a phase that opens wait for their instants from now on [4] */
inline open_phase() {
  for (s : 0 .. SETS - 1) {
    if
    :: PHASE_OF[s] == phase && !ENDED(s) -> delayed[s] = IS_DELAYED[s]
    :: else
    fi
  }
}

inline judge_phase() {
  count_phase();
  moved = true;
  if
  :: 100 * lost <= PHASE_FAILURE_PERCENT * eligible ->
       phase++;
       if
       :: phase == PHASES -> end_rollout(RO_COMPLETED)
       :: else -> open_phase()
       fi
  :: else -> end_rollout(RO_HALTED)
  fi
}

inline ends() {
  if
  :: course == RUNNING ->
       count_attempts();
       if
       :: !alive && stopping -> end_rollout(RO_CANCELLED)
       :: !alive && !stopping && PHASES == 0 && some_faulted -> end_rollout(RO_FAULTED)
       :: !alive && !stopping && PHASES == 0 && !some_faulted && some_cancelled -> end_rollout(RO_CANCELLED)
       :: !alive && !stopping && PHASES == 0 && !some_faulted && !some_cancelled -> end_rollout(RO_COMPLETED)
#if PHASES > 0
       :: !alive && !stopping && !baking ->
            count_phase();
            if
            :: BAKES && eligible > 0 -> baking = true
            :: else -> judge_phase()
            fi
#endif
       :: else
       fi
  :: else
  fi
}

inline settle() {
  moved = true;
  do
  :: moved ->
       moved = false;
       COUNT();
       BATCHES_END();
       HOLDS_END();
       again = true;
       do
       :: again && !moved -> again = false; WALK()
       :: else -> break
       od;
       put_back_picks();
       COUNT();
       completions();
       ends()
  :: else -> break
  od
}
