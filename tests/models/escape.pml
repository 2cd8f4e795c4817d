/*
 * escape.pml: a reference to a pending call leaves the process that submitted it.
 *
 * Rules: O6 (ESCAPE before it is published, DELIVER before the cell is free, the heir takes it from the cell, others subscribe), H1
 * (rounds; "unknown" only after a full round that began after the question), H2, D5 (the heir reads the dead one's ring to
 * its end, lets an escaped call run on, keeps the holds of the dead until its calls are settled), R1.
 *
 * Submitter submits call C, which Worker runs and which needs the submitter's object A. It hands a reference to C to Borrower
 * as argument of call B: while C is pending (it escapes), or when C's value is there (the value travels, nothing is
 * registered). Borrower drops it, or gets it inside B, or keeps it and gets it after B. sabird keeps the value of an escaped
 * call and is the submitter's heir. DEATHS of the three die, each at any step.
 *
 * Checked: a get is answered, never with "unknown", and with an error only if Worker died; A is there while C runs; the cell
 * still holds the value when sabird copies it; in the end sabird's entry is freed.
 *
 * Assumed: sequential consistency; a queue is one step (queue.pml); Worker is the only one, so its death ends C with an error.
 *
 * Mutations, each must be found:
 *   BUG_FREEFIRST    O6  the cell is freed, then a private copy is delivered
 *   BUG_FREEEARLY    O6  the cell is freed before sabird has read DELIVER
 *   BUG_LATEESCAPE   O6  ESCAPE after B was published
 *   BUG_DRAINONLY    D5  the heir drains the reply stack but does not scan
 *   BUG_CANCELEARLY  D5  the heir cancels before it read the dead one's ring to its end
 *   BUG_HOLDCLAIMED  D5  holds of the dead stay until no cell is CLAIMED (QUEUED escaped ones forgotten)
 *   BUG_THISROUND    H1  "unknown" is answered at the end of the round in which the question was read
 *   BUG_LATEHOLD     H2  Borrower writes HOLD after DONE
 */
#ifndef DEATHS
#define DEATHS 2
#endif
#define RING 4
#define ESCAPE 1                        /* an add, as HOLD is */
#define HOLD 1
#define RELEASE 2
#define DELIVER 3
#define SUBSCRIBE 4
#define VALUE 1                         /* answers */
#define ERROR 2
#define UNKNOWN 3
#define SUBMITTER 0                     /* who; the first two have a ring */
#define BORROWER 1
#define WORKER 2

mtype = { IDLE, QUEUED, CLAIMED, DONE, CANCELLED, FREED };

/* Shared memory. */
mtype c = IDLE, b = IDLE;               /* the cells of C and B */
bool c_pushed, c_is_error, b_has_value; /* on the reply stack; result of C; what B carries */
byte ring[2*RING], tail[2], read[2];
byte answer;                            /* to Borrower's SUBSCRIBE */

bool a_freed, dead[3], finished[3];
byte deaths = DEATHS;

#define EMIT(who, e) ring[(who)*RING + tail[who]] = e; tail[who]++; assert(tail[who] <= RING)
#define DIES(who) :: atomic { deaths > 0 -> deaths--; dead[who] = true; goto gone }
#define STEP(who, x) if DIES(who) :: atomic { true -> x } fi
#define ENDED(who) (dead[who] || finished[who])

/* ---------------------------------------------------------------- submitter */
#define B_OVER (b != QUEUED && (b != CLAIMED || dead[BORROWER]))
#define COMMON_STEPS \
  DIES(SUBMITTER) \
  :: atomic { dead[BORROWER] && b == QUEUED -> b = CANCELLED } \
  :: atomic { b != IDLE && escaped && !released && B_OVER -> released = true; EMIT(SUBMITTER, RELEASE) }

active proctype Submitter() {
  bool escaped, released, in_hand; byte position;
  STEP(SUBMITTER, c = QUEUED);
  do                                    /* C is pending */
  COMMON_STEPS
  :: atomic { c_pushed -> c_pushed = false; in_hand = true }                    /* drain */
  :: in_hand -> break
  :: dead[WORKER] && !c_pushed && !in_hand && c == DONE -> break                /* scan: its push was lost */
  :: atomic { dead[WORKER] && !c_pushed && !in_hand && (c == CLAIMED || c == QUEUED) -> c_is_error = true; c = DONE; break }
  :: atomic { b == IDLE && !escaped -> escaped = true };
#ifdef BUG_LATEESCAPE
     STEP(SUBMITTER, b = QUEUED); STEP(SUBMITTER, EMIT(SUBMITTER, ESCAPE))
#else
     STEP(SUBMITTER, EMIT(SUBMITTER, ESCAPE)); STEP(SUBMITTER, b = QUEUED)
#endif
  od;
  in_hand = false;
  assert(c == DONE);                    /* consume */
#ifdef BUG_FREEFIRST
  STEP(SUBMITTER, c = FREED);
  if :: escaped -> STEP(SUBMITTER, EMIT(SUBMITTER, DELIVER)) :: else fi;
#else
  if
  :: escaped ->
     STEP(SUBMITTER, EMIT(SUBMITTER, DELIVER); position = tail[SUBMITTER]);
#ifndef BUG_FREEEARLY
     if DIES(SUBMITTER) :: read[SUBMITTER] >= position fi
#endif
  :: else
  fi;
  STEP(SUBMITTER, c = FREED);
#endif
  position = 0;
  do                                    /* C's value is there */
  COMMON_STEPS
  :: atomic { b == IDLE -> b_has_value = true; b = QUEUED }
  :: atomic { b != IDLE && B_OVER && (released || !escaped) -> finished[SUBMITTER] = true; a_freed = true; goto gone }
  od;
gone:
  atomic { escaped = false; released = false; in_hand = false; position = 0 }
}

/* ------------------------------------------------------------------- worker */
active proctype Worker() {
  if
  DIES(WORKER)
  :: atomic { c == QUEUED -> c = CLAIMED }
  :: atomic { c == CANCELLED || c == FREED || (c != QUEUED && ENDED(SUBMITTER)) -> finished[WORKER] = true; goto gone }
  fi;
  STEP(WORKER, assert(!a_freed));       /* runs: A is read */
  STEP(WORKER, assert(!a_freed); if :: c == CLAIMED -> c = DONE :: else fi);
  STEP(WORKER, if :: c == DONE -> c_pushed = true :: else fi; finished[WORKER] = true);
gone:
  skip
}

/* ----------------------------------------------------------------- borrower */
active proctype Borrower() {
  bool holds;
  if
  DIES(BORROWER)
  :: atomic { b == QUEUED -> b = CLAIMED }
  :: atomic { b == CANCELLED || (b != QUEUED && ENDED(SUBMITTER)) -> finished[BORROWER] = true; goto gone }
  fi;
  if
  :: b_has_value -> STEP(BORROWER, b = DONE; finished[BORROWER] = true); goto gone
  :: else
  fi;
  if
  :: true                                                                       /* get inside B */
#ifdef BUG_LATEHOLD
  :: STEP(BORROWER, b = DONE); STEP(BORROWER, holds = true; EMIT(BORROWER, HOLD))
#else
  :: STEP(BORROWER, holds = true; EMIT(BORROWER, HOLD)); STEP(BORROWER, b = DONE)       /* keep it, get after B */
#endif
  :: STEP(BORROWER, b = DONE; finished[BORROWER] = true); goto gone             /* drop it */
  fi;
  STEP(BORROWER, EMIT(BORROWER, SUBSCRIBE));
  if
  DIES(BORROWER)
  :: atomic { answer != 0 -> assert(answer != UNKNOWN); assert(answer == VALUE || dead[WORKER]) }
  fi;
  if
  :: holds -> STEP(BORROWER, EMIT(BORROWER, RELEASE); finished[BORROWER] = true)
  :: else -> STEP(BORROWER, b = DONE; finished[BORROWER] = true)
  fi;
gone:
  holds = false
}

/* ------------------------------------------------------------------- sabird */
#ifdef BUG_HOLDCLAIMED
#define SETTLED ((c != CLAIMED || dead[WORKER]) && (b != CLAIMED || dead[BORROWER]))
#else
#define SETTLED (c != QUEUED && (c != CLAIMED || dead[WORKER]) && c != DONE && b != QUEUED && (b != CLAIMED || dead[BORROWER]))
#endif
#ifdef BUG_CANCELEARLY
#define READ_TO_END true
#else
#define READ_TO_END (read[SUBMITTER] == tail[SUBMITTER])
#endif
#ifdef BUG_DRAINONLY
#define HEIR_FINDS c_pushed
#else
#define HEIR_FINDS true
#endif
#define HEIR_CANCELS (dead[SUBMITTER] && READ_TO_END && c == QUEUED && !known)
#define HEIR_TAKES   (dead[SUBMITTER] && READ_TO_END && c == DONE && HEIR_FINDS)
#define HEIR_ENDS    (dead[SUBMITTER] && READ_TO_END && dead[WORKER] && (c == CLAIMED || (c == QUEUED && known)))
#define QUIET_FOR(who) (ENDED(who) && (!dead[who] || gone[who]))
#define IN_FORCE 3                      /* gone: 1 death seen in this round, 2 in the round before, 3 its removes count */

active proctype Sabird() {
  short holds[2]; byte fresh[2], due[2], gone[2];
  byte visited, p, e, quiet, waiting, value; byte subscribed;   /* subscribed: 1 in this round, 2 before it */
  bool known, entry_freed;
  do
  :: atomic {
       visited = 0;
       if :: ENDED(WORKER) && QUIET_FOR(SUBMITTER) && QUIET_FOR(BORROWER) -> quiet++ :: else fi;
       if
       :: ENDED(SUBMITTER) && ENDED(WORKER) && subscribed && answer == 0 && !dead[BORROWER] -> waiting++; assert(waiting < 5)
       :: else -> waiting = 0
       fi };
     do                                 /* one round: each ring once, in any order */
     :: atomic { visited != 3 ->
          if :: !(visited & 1) -> p = 0 :: !(visited & 2) -> p = 1 fi;
          visited = visited | (1 << p);
          do
          :: read[p] < tail[p] ->
             e = ring[p*RING + read[p]]; read[p]++;
             if
             :: e == HOLD -> holds[p]++; if :: p == SUBMITTER -> known = true :: else fi
             :: e == RELEASE -> fresh[p]++
             :: e == DELIVER ->
#ifndef BUG_FREEFIRST
                assert(c == DONE);      /* the value is still in the cell */
#endif
                if :: !entry_freed -> value = (c_is_error -> ERROR : VALUE) :: else fi
             :: e == SUBSCRIBE -> subscribed = 1
             fi
          :: else -> break
          od;
          p = 0; e = 0 }
     /* the submitter's heir, between any two visits */
     :: atomic { dead[SUBMITTER] && b == QUEUED -> b = CANCELLED }
     :: atomic { HEIR_CANCELS -> c = CANCELLED; value = ERROR }
     :: atomic { HEIR_TAKES -> c = FREED; c_pushed = false;
                 if :: value == 0 -> value = (c_is_error -> ERROR : VALUE) :: else fi }
     :: atomic { HEIR_ENDS -> c = FREED; if :: value == 0 -> value = ERROR :: else fi }
     :: atomic { dead[SUBMITTER] && gone[SUBMITTER] == 0 && SETTLED -> gone[SUBMITTER] = 1 }
     :: atomic { dead[BORROWER] && gone[BORROWER] == 0 -> gone[BORROWER] = 1 }
     :: atomic { visited == 3 && !(ENDED(SUBMITTER) && ENDED(WORKER) && (HEIR_CANCELS || HEIR_TAKES || HEIR_ENDS)) -> break }
     od;
     atomic {                           /* the round's end */
       p = 0;
       do
       :: p < 2 ->
          holds[p] = holds[p] - due[p]; due[p] = fresh[p]; fresh[p] = 0;
          if :: gone[p] == 1 || gone[p] == 2 -> gone[p]++ :: else fi;
          if :: gone[p] == IN_FORCE -> holds[p] = 0; due[p] = 0 :: else fi;
          p++
       :: else -> p = 0; break
       od;
       if :: gone[SUBMITTER] == IN_FORCE -> a_freed = true :: else fi;
       if :: known && !entry_freed && holds[0] == 0 && holds[1] == 0 -> entry_freed = true :: else fi;
       if
       :: subscribed && answer == 0 ->
          if
          :: known && !entry_freed -> if :: value -> answer = value :: else fi
#ifdef BUG_THISROUND
          :: else -> answer = UNKNOWN
#else
          :: else -> if :: subscribed == 2 -> answer = UNKNOWN :: else -> subscribed = 2 fi
#endif
          fi
       :: else
       fi;
       if :: quiet > 2 -> assert(!known || entry_freed); break :: else fi }
  od
}
