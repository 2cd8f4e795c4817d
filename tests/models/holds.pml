/*
 * holds.pml: one object, handed round by calls; sabird reads the hold rings in rounds.
 *
 * Rules: O4 (one ring per process, adds are written before what they protect is published), H1 (adds count at once, removes one
 * full round later; each ring once per round), H2 (arguments are under the submitter's own hold until it consumed the record;
 * the callee writes HOLD before DONE; who passes on a borrowed reference writes HOLD first).
 *
 * PROCESSES processes; process 0 creates the object. Whoever may read it may call any other process with it, CALLS calls in
 * all, and go on while the call runs; a callee may keep the reference, pass it on, drop it, and get it again. sabird visits
 * the rings of a round in any order, and the processes run between any two visits.
 *
 * Checked: whoever may read the object (an own hold, or a call that is running) finds it; sabird frees it only when nobody
 * holds it; when all is quiet it is freed (no leak).
 *
 * Assumed: sequential consistency; nobody dies (refs.pml and escape.pml have deaths); a ring is long enough.
 *
 * Mutations, each must be found:
 *   BUG_REMOVENOW   H1  a remove counts when it is read
 *   BUG_SAMEROUND   H1  a remove counts at the end of the round in which it was read
 *   BUG_HALFROUND   H1  a round skips one ring, the one after it the other ones
 *   BUG_LATEHOLD    H2  the callee writes HOLD after DONE
 *   BUG_EARLYDROP   H2  the submitter releases before it consumed the record
 *   BUG_BORROW      H2  a borrowed reference is passed on without an own hold
 *   BUG_LOSTREMOVE  H1  removes of a round are dropped when the next round reads more (leak)
 */
#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef CALLS
#define CALLS 3
#endif
#define RING (2*(CALLS+1))
#define HOLD 1
#define RELEASE 2
#define NOBODY 255

mtype = { IDLE, QUEUED, RUNNING, DONE };

/* Shared memory. */
mtype call[PROCESSES];                  /* the one record of each submitter */
byte callee[PROCESSES];
byte ring[PROCESSES*RING], tail[PROCESSES];
#define ENTRY(p, n) ring[(p)*RING + (n)]
#define EMIT(e) assert(tail[me] < RING); ENTRY(me, tail[me]) = e; tail[me]++

bool holds[PROCESSES], freed;           /* for the assertions alone */
byte calls = CALLS, running;
#define READ assert(!freed)
#if PROCESSES > 2
#define NOBODY_HOLDS (!holds[0] && !holds[1] && !holds[2])
#define NO_CALL (call[0] == IDLE && call[1] == IDLE && call[2] == IDLE)
#else
#define NOBODY_HOLDS (!holds[0] && !holds[1])
#define NO_CALL (call[0] == IDLE && call[1] == IDLE)
#endif
#define QUIET (NOBODY_HOLDS && NO_CALL)

/* ---------------------------------------------------------------- processes */
#define CALLED_BY(q) (q != me && call[q] == QUEUED && callee[q] == me)
#ifdef BUG_BORROW
#define MAY_PASS_ON (own || caller != NOBODY)
#else
#define MAY_PASS_ON own
#endif
#ifdef BUG_EARLYDROP
#define MAY_DROP own
#else
#define MAY_DROP (own && call[me] == IDLE)
#endif

proctype Process(byte me) {
  byte caller = NOBODY; bool own = (me == 0), kept;   /* kept: at most once in a call, so that rings stay short */
  do
  /* be called: read it under the caller's hold */
  :: atomic { caller == NOBODY && CALLED_BY(0) -> caller = 0; call[caller] = RUNNING; running++; READ }
  :: atomic { caller == NOBODY && CALLED_BY(1) -> caller = 1; call[caller] = RUNNING; running++; READ }
#if PROCESSES > 2
  :: atomic { caller == NOBODY && CALLED_BY(2) -> caller = 2; call[caller] = RUNNING; running++; READ }
#endif
  /* keep it */
  :: atomic { caller != NOBODY && !own && !kept -> READ; kept = true; own = true; holds[me] = true; EMIT(HOLD) }
  /* finish the call */
#ifdef BUG_LATEHOLD
  :: atomic { caller != NOBODY && !own -> READ; call[caller] = DONE; running--; caller = NOBODY; kept = false;
              own = true; holds[me] = true };
     EMIT(HOLD)
#endif
  :: atomic { caller != NOBODY -> READ; call[caller] = DONE; running--; caller = NOBODY; kept = false }
  /* pass it on */
  :: atomic { MAY_PASS_ON && call[me] == IDLE && calls > 0 -> READ; calls--;
        if
        :: me != 0 -> callee[me] = 0
        :: me != 1 -> callee[me] = 1
#if PROCESSES > 2
        :: me != 2 -> callee[me] = 2
#endif
        fi; call[me] = QUEUED }
  /* consume the record */
  :: atomic { call[me] == DONE -> call[me] = IDLE }
  /* drop it */
  :: atomic { MAY_DROP -> READ; own = false; holds[me] = false; EMIT(RELEASE) }
  /* nothing can happen any more */
  :: atomic { !own && caller == NOBODY && QUIET -> break }
  od
}

/* ------------------------------------------------------------------- sabird */
#define ALL_RINGS ((1 << PROCESSES) - 1)
active proctype Sabird() {
  short count[PROCESSES];               /* holds that count */
  byte fresh[PROCESSES], due[PROCESSES];/* removes read in this round, in the round before */
  byte seen_rings, p, quiet_rounds; short entry; bool seen, zero;
#ifdef BUG_HALFROUND
  bool odd;
#endif
  byte read[PROCESSES];
  atomic { p = 0; do :: p < PROCESSES -> call[p] = IDLE; p++ :: else -> p = 0; break od;
           holds[0] = true; ENTRY(0, 0) = HOLD; tail[0] = 1;
           do :: p < PROCESSES -> run Process(p); p++ :: else -> p = 0; break od };
round:
  atomic { if :: QUIET -> quiet_rounds++ :: else fi;
           seen_rings = 0;
#ifdef BUG_HALFROUND
           seen_rings = (odd -> 1 : 2); odd = !odd
#endif
  };
  do
  :: atomic { seen_rings != ALL_RINGS ->
        if
        :: !(seen_rings & 1) -> p = 0
        :: !(seen_rings & 2) -> p = 1
#if PROCESSES > 2
        :: !(seen_rings & 4) -> p = 2
#endif
        fi;
        seen_rings = seen_rings | (1 << p);
        do
        :: read[p] < tail[p] ->
           entry = ENTRY(p, read[p]); read[p]++;
           if
           :: entry == HOLD -> count[p]++; seen = true
#ifdef BUG_REMOVENOW
           :: else -> count[p]--
#else
           :: else -> fresh[p]++
#endif
           fi
        :: else -> break
        od; p = 0; entry = 0 }
  :: atomic { seen_rings == ALL_RINGS -> seen_rings = 0; break }
  od;
  atomic {                              /* the round's end */
    zero = true;
    do
    :: p < PROCESSES ->
#ifdef BUG_SAMEROUND
       count[p] = count[p] - fresh[p]; fresh[p] = 0;
#elif defined(BUG_LOSTREMOVE)
       if :: fresh[p] == 0 -> count[p] = count[p] - due[p] :: else fi; due[p] = fresh[p]; fresh[p] = 0;
#else
       count[p] = count[p] - due[p]; due[p] = fresh[p]; fresh[p] = 0;
#endif
       if :: count[p] != 0 -> zero = false :: else fi; p++
    :: else -> p = 0; break
    od;
    if
    :: seen && zero -> assert(NOBODY_HOLDS && running == 0); freed = true; goto left
    :: else -> assert(quiet_rounds < 4)
    fi; zero = false };
  goto round;
left:
  skip
}
