/*
 * order.pml: one sender's calls to an actor that dies and comes back keep their order.
 *
 * Rules: Q7 (the sender's list, its head alone is pushed, R1 first; directory, then log, then push; CLOSED), D2 (close, log,
 * ring; the next incarnation is listed only after the log), R1, Q8 (who waits is rung).
 *
 * One sender with CALLS calls, whose arguments become ready in any order and at any time; one actor, which dies at any step,
 * DEATHS times. Each incarnation has an inbox of its own (inbox.pml has the same slot, the lists and the cells). The sender
 * sleeps when it finds nothing to do and looks again only when somebody rings.
 *
 * Checked: a call starts only when all earlier ones have finished or were given up; none runs again unless its claimer died
 * before DONE; when nothing moves any more all calls are over.
 *
 * Assumed: sequential consistency; an inbox is one step; after a claim whose claimer died the call runs again or is given up.
 *
 * Where it was more exact than the rules once were (README.md):
 *   B2  A dead incarnation leaves the directory before the log entry.
 *   B4  sabird rings (as in D2 (4)) also when the next incarnation enters the directory: a sender that woke for the death has
 *       repaired, found nobody to push to, and sleeps again.
 *
 * Mutations, each must be found:
 *   BUG_PUSHFIRST      Q7  pushes to a new incarnation before R1 for the one before it
 *   BUG_REPAIRPUSHES   Q7  R1 pushes what it finds at once, to whatever the directory shows
 *   BUG_LISTFIRST      D2  the next incarnation is listed before the log entry
 *   BUG_SKIPUNREADY    Q7  a call with an unready argument lets later ones pass
 *   BUG_RETRYDONE      R1  R1 takes DONE for not run
 *   BUG_NORINGLISTED   B4  no ring when the next incarnation is listed
 */
#ifndef DEATHS
#define DEATHS 2
#endif
#define CALLS 3

mtype = { WAITING, QUEUED, CLAIMED, DONE, OVER };

mtype state[CALLS+1];
byte target[CALLS+1];                   /* the incarnation that a call was pushed to */
bool ready[CALLS+1];
chan inbox[DEATHS+2] = [CALLS] of { byte };
bool closed[DEATHS+2];
byte listed = 1, log;                   /* directory: incarnation or 0; log: the last dead incarnation */
bool rung;                              /* the sender's doorbell (doorbell.pml) */

byte deaths;
bool dead[DEATHS+2], ran[CALLS+1];
#define FINISHED(k) (state[k] == DONE || state[k] == OVER)

/* -------------------------------------------------------------------- actor */
#define DIES :: atomic { deaths > 0 -> deaths--; dead[me] = true; goto gone }

proctype Actor(byte me) {
  byte k;
end_idle:
  do
  DIES
  :: atomic { inbox[me] ? k -> assert(state[k] == QUEUED); state[k] = CLAIMED;
              assert(!ran[k]); assert(k < 2 || FINISHED(1)); assert(k < 3 || FINISHED(2)) };
     if DIES :: atomic { state[k] = DONE; ran[k] = true } fi;
     if DIES :: atomic { rung = true; k = 0 } fi
  od;
gone:
  k = 0
}

/* ------------------------------------------------------------------- sabird */
active proctype Sabird() {
  byte now = 1;
  /* how many die is decided first: else a death still to come would hide a call that never ends */
  atomic { do :: deaths < DEATHS -> deaths++ :: break od;
           state[1] = WAITING; state[2] = WAITING; state[3] = WAITING; run Actor(1); run Sender(); run Arguments() };
end_idle:
  do
  :: dead[now] ->
     closed[now] = true;
     listed = 0;
#ifdef BUG_LISTFIRST
     listed = now + 1; rung = true;
#endif
     log = now;
     rung = true;
     now++;
     run Actor(now);
     listed = now;
#ifndef BUG_NORINGLISTED
     rung = true
#endif
  od
}

proctype Arguments() {
  do
  :: atomic { !ready[1] -> ready[1] = true; rung = true }
  :: atomic { !ready[2] -> ready[2] = true; rung = true }
  :: atomic { !ready[3] -> ready[3] = true; rung = true }
  :: ready[1] && ready[2] && ready[3] -> break
  od
}

/* ------------------------------------------------------------------- sender */
#define FIRST_IS(k) (state[k] == WAITING && (k < 2 || state[1] != WAITING) && (k < 3 || state[2] != WAITING))
#ifdef BUG_SKIPUNREADY
#define CAN_PUSH(k) (state[k] == WAITING && ready[k] && (k < 2 || state[1] != WAITING || !ready[1]) \
                                                     && (k < 3 || state[2] != WAITING || !ready[2]))
#else
#define CAN_PUSH(k) (FIRST_IS(k) && ready[k])
#endif
inline push(k, to) {
  atomic {
    if
    :: closed[to] -> state[k] = QUEUED; target[k] = to          /* counts as pushed: this sender's R1 is still to come */
    :: else -> state[k] = QUEUED; target[k] = to; inbox[to] ! k
    fi }
}

proctype Sender() {
  byte k, to, repaired;
awake:
  rung = false;
look:
  if
  :: atomic { state[1] == DONE -> state[1] = OVER }     /* results, in any order */
  :: atomic { state[2] == DONE -> state[2] = OVER }
  :: atomic { state[3] == DONE -> state[3] = OVER }
  :: log > repaired -> goto repair
  :: atomic { CAN_PUSH(1) && listed != 0 -> k = 1; to = listed; goto push_first }
  :: atomic { CAN_PUSH(2) && listed != 0 -> k = 2; to = listed; goto push_first }
  :: atomic { CAN_PUSH(3) && listed != 0 -> k = 3; to = listed; goto push_first }
  :: else -> goto end_sleep
  fi;
  goto look;
end_sleep:
  rung;
  goto awake;
push_first:                                             /* the directory was loaded; now the log, then push */
#ifndef BUG_PUSHFIRST
  if :: log > repaired -> to = 0 :: else fi;
#endif
  if :: to != 0 -> push(k, to) :: else fi;
  atomic { k = 0; to = 0; goto look };
repair:                                                 /* R1 for the next one in the log, in call order */
  repaired++; k = 1;
  do
  :: k <= CALLS ->
     atomic {
       if
       :: target[k] == repaired && state[k] == CLAIMED -> if :: state[k] = WAITING :: state[k] = OVER fi
#ifdef BUG_RETRYDONE
       :: target[k] == repaired && state[k] == DONE -> state[k] = WAITING
#endif
       :: target[k] == repaired && state[k] == QUEUED -> state[k] = WAITING
       :: else
       fi };
#ifdef BUG_REPAIRPUSHES
     if :: target[k] == repaired && state[k] == WAITING && listed != 0 -> to = listed; push(k, to); to = 0 :: else fi;
#endif
     k++
  :: else -> break
  od;
  atomic { k = 0; goto look }
}

active proctype Monitor() {
end_watch:
  timeout -> assert(state[1] == OVER && state[2] == OVER && state[3] == OVER)
}
