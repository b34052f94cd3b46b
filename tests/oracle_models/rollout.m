-- The rules of one set's rollout in Murphi, written from the semantics (the numbers in brackets are its sections).
-- Instances stand in a grid: zones, upgrade domains, members. All three are scalarsets: Rumur may swap their elements.
-- What comes before this text are the constants of a scenario, what comes after it is who may start together.

const
  ANY: 255;

type
  Zone: scalarset(ZONES);
  Domain: scalarset(DOMAINS);
  Member: scalarset(MEMBERS);
  Count: 0 .. N;
  Budget: 0 .. ANY;
  Life: enum {PENDING, REPLACING, CONFIGURING, VERIFYING, UPGRADED, RESTORING, RESTORED, FAILED};
  Health: enum {HEALTHY, UNHEALTHY, UNKNOWN, INITIALIZING};
  Disk: enum {OWN, TARGET, NOBODY_KNOWS};
  Status: enum {WAITING, ROLLING, COMPLETED, FAULTED, CANCELLED};
  Code: enum {NO_ERROR, TOO_MANY_UPGRADED_UNHEALTHY, TOO_MANY_UNHEALTHY_BEFORE, TOO_MANY_UNHEALTHY};
  Course: enum {RUNNING, RO_COMPLETED, RO_FAULTED, RO_HALTED, RO_CANCELLED};
  Instance: record life: Life; health: Health; disk: Disk; unanswered: boolean; end;

var
  inst: array [Zone] of array [Domain] of array [Member] of Instance;
  held: array [Zone] of boolean;
  status: Status;
  code: Code;
  batching: boolean;
  course: Course;
  paused: boolean;
  stopping: boolean;
  left_failed_steps: Budget;
  left_lost_reports: Budget;
  left_health_flips: Budget;
  left_maintenances: Budget;
  left_pauses: Budget;
  left_cancels: Budget;
  moved: boolean;

-- counting --------------------------------------------------------------------------------------------------------------

function is_bad(one: Instance): boolean;
begin
  return one.health = UNHEALTHY | one.health = UNKNOWN;
end;

function is_flying(one: Instance): boolean;
begin
  return one.life = REPLACING | one.life = CONFIGURING | one.life = VERIFYING | one.life = RESTORING;
end;

function is_commanded(one: Instance): boolean;
begin
  return is_flying(one) & one.life != VERIFYING;
end;

function is_undone(one: Instance): boolean;
begin
  return one.life = RESTORED | one.life = FAILED;
end;

function sick(): Count;
var n: Count;
begin
  n := 0;
  for z: Zone do for d: Domain do for m: Member do
    if is_bad(inst[z][d][m]) then n := n + 1; end;
  end; end; end;
  return n;
end;

function flying(): Count;
var n: Count;
begin
  n := 0;
  for z: Zone do for d: Domain do for m: Member do
    if is_flying(inst[z][d][m]) then n := n + 1; end;
  end; end; end;
  return n;
end;

function pending_in(z: Zone): Count;
var n: Count;
begin
  n := 0;
  for d: Domain do for m: Member do
    if inst[z][d][m].life = PENDING then n := n + 1; end;
  end; end;
  return n;
end;

function pending(): Count;
var n: Count;
begin
  n := 0;
  for z: Zone do n := n + pending_in(z); end;
  return n;
end;

function attempted(): Count;
var n: Count;
begin
  n := 0;
  for z: Zone do for d: Domain do for m: Member do
    if inst[z][d][m].life = UPGRADED | is_undone(inst[z][d][m]) then n := n + 1; end;
  end; end; end;
  return n;
end;

function bad(): Count;
var n: Count;
begin
  n := 0;
  for z: Zone do for d: Domain do for m: Member do
    if is_undone(inst[z][d][m]) | (inst[z][d][m].life = UPGRADED & is_bad(inst[z][d][m])) then n := n + 1; end;
  end; end; end;
  return n;
end;

-- gates and places [6, 7] -----------------------------------------------------------------------------------------------

function gate_is_broken(): boolean;
begin
  if OF_SET = 1 then return 100 * bad() > UPGRADED_PERCENT * N; end;
  return 100 * bad() > UPGRADED_PERCENT * attempted();
end;

function is_too_sick(): boolean;
begin
  return 100 * sick() > UNHEALTHY_PERCENT * N;
end;

function is_free(z: Zone): boolean;
begin
  return forall other: Zone do held[other] -> other = z end;
end;

function may(): boolean;
begin
  return course = RUNNING & !paused & !stopping & (status = WAITING | status = ROLLING) & flying() = 0;
end;

function has_ended(): boolean;
begin
  return status != WAITING & status != ROLLING;
end;

-- settling [8] ----------------------------------------------------------------------------------------------------------

procedure end_attempt(how: Status; why: Code);
begin
  status := how;
  code := why;
  batching := false;
  for z: Zone do held[z] := false; end;
  moved := true;
end;

procedure end_rollout(how: Course);
begin
  course := how;
  paused := false;
  stopping := false;
  moved := true;
end;

procedure batch_ends();
begin
  if !has_ended() & flying() = 0 then
    if stopping then end_attempt(CANCELLED, NO_ERROR);
    elsif batching then
      batching := false;
      moved := true;
      if gate_is_broken() then end_attempt(FAULTED, TOO_MANY_UPGRADED_UNHEALTHY); end;
    end;
  end;
end;

procedure hold_ends();
begin
  if flying() = 0 then
    for z: Zone do
      if held[z] & (paused | pending_in(z) = 0) then
        held[z] := false;
        moved := true;
      end;
    end;
  end;
end;

procedure gates();
begin
  if may() & (exists z: Zone do is_free(z) & pending_in(z) > 0 end) then
    if gate_is_broken() then end_attempt(FAULTED, TOO_MANY_UPGRADED_UNHEALTHY);
    elsif is_too_sick() & status = WAITING then end_attempt(FAULTED, TOO_MANY_UNHEALTHY_BEFORE);
    elsif is_too_sick() then end_attempt(FAULTED, TOO_MANY_UNHEALTHY);
    end;
  end;
end;

procedure ends();
var lost: Count;
begin
  if course = RUNNING & has_ended() then
    if stopping then end_rollout(RO_CANCELLED);
    elsif MANUAL = 1 then
      if status = FAULTED then end_rollout(RO_FAULTED); else end_rollout(RO_COMPLETED); end;
    else
      lost := bad() + pending();
      if 100 * lost <= PHASE_FAILURE_PERCENT * (attempted() + pending()) then end_rollout(RO_COMPLETED);
      else end_rollout(RO_HALTED);
      end;
    end;
  end;
end;

procedure settle();
begin
  moved := true;
  while moved do
    moved := false;
    batch_ends();
    hold_ends();
    gates();
    if !has_ended() & pending() = 0 & flying() = 0 then end_attempt(COMPLETED, NO_ERROR); end;
    ends();
  end;
end;

-- the life of an instance [8] -------------------------------------------------------------------------------------------

procedure fail(var one: Instance);
begin
  if one.unanswered then one.disk := NOBODY_KNOWS; end;
  one.life := FAILED;
  one.health := UNKNOWN;
  one.unanswered := false;
end;

procedure back(var one: Instance);
begin
  if ROLLBACK = 1 then one.life := RESTORING; else fail(one); end;
end;

procedure spend(var left: Budget);
begin
  if left != ANY then left := left - 1; end;
end;

ruleset z: Zone; d: Domain; m: Member do
  alias one: inst[z][d][m] do

    rule "answer" is_commanded(one) ==> begin
      switch one.life
        case REPLACING: one.life := CONFIGURING; one.health := INITIALIZING; one.disk := TARGET;
        case CONFIGURING: one.life := VERIFYING;
        case RESTORING:
          one.life := RESTORED; one.health := INITIALIZING; one.disk := OWN; one.unanswered := false;
      end;
      settle();
    end;

    rule "fail" left_failed_steps > 0 & is_commanded(one) ==> begin
      spend(left_failed_steps);
      if one.life = RESTORING then fail(one); else back(one); end;
      settle();
    end;

    rule "healthy" one.life = VERIFYING | one.health != HEALTHY ==> begin
      if one.life = VERIFYING then one.life := UPGRADED; end;
      one.health := HEALTHY;
      settle();
    end;

    rule "unhealthy" left_health_flips > 0 & !is_bad(one) ==> begin
      spend(left_health_flips);
      one.health := UNHEALTHY;
      settle();
    end;

    rule "deadline" is_flying(one) & (SHARED = 1 ? left_failed_steps > 0 : left_lost_reports > 0) ==> begin
      if SHARED = 1 then spend(left_failed_steps); else spend(left_lost_reports); end;
      if one.life != VERIFYING then one.unanswered := true; end;
      if one.life = RESTORING then fail(one); else back(one); end;
      settle();
    end;

  end;
end;

ruleset z: Zone; d: Domain do
  rule "maintenance" left_maintenances > 0 & (exists m: Member do !is_bad(inst[z][d][m]) end) ==> begin
    spend(left_maintenances);
    for m: Member do
      if !is_bad(inst[z][d][m]) then inst[z][d][m].health := UNHEALTHY; end;
    end;
    settle();
  end;
end;

rule "pause" left_pauses > 0 & course = RUNNING & !paused ==> begin
  spend(left_pauses);
  paused := true;
  settle();
end;

rule "resume" course = RUNNING & paused ==> begin
  paused := false;
  settle();
end;

rule "cancel" left_cancels > 0 & course = RUNNING & !stopping ==> begin
  spend(left_cancels);
  stopping := true;
  settle();
end;

startstate begin
  for z: Zone do
    held[z] := false;
    for d: Domain do for m: Member do
      inst[z][d][m].life := PENDING;
      inst[z][d][m].health := HEALTHY;
      inst[z][d][m].disk := OWN;
      inst[z][d][m].unanswered := false;
    end; end;
  end;
  status := WAITING;
  code := NO_ERROR;
  batching := false;
  course := RUNNING;
  paused := false;
  stopping := false;
  left_failed_steps := FAILED_STEPS;
  left_lost_reports := LOST_REPORTS;
  left_health_flips := HEALTH_FLIPS;
  left_maintenances := MAINTENANCES;
  left_pauses := PAUSES;
  left_cancels := CANCELS;
  settle();
end;

-- promises [11] ---------------------------------------------------------------------------------------------------------

invariant "at most a batch in flight, from one zone that is held and one upgrade domain"
  flying() <= CAP
  & (forall z: Zone do forall d: Domain do forall m: Member do
       is_flying(inst[z][d][m]) -> held[z] & (forall y: Zone do forall e: Domain do forall n: Member do
         is_flying(inst[y][e][n]) -> y = z & e = d end end end) end end end);

invariant "no two zones are held"
  forall z: Zone do forall y: Zone do held[z] & held[y] -> y = z end end;
