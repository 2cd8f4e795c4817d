/*
 * doorbell.pml: one process sleeps, others ring it.
 *
 * Rules: Q8 (the word: sequence and SLEEPING bit; who moves it, who wakes, who clears; a ringer that has already rung for this
 * sleep need not ring again), D2 (3) and (4) (after a death sabird appends
 * to the log, then adds to and wakes every doorbell, whatever its word says).
 *
 * Two ringers publish RINGS times each into a source of their own; one sleeper; DEATHS ringers die, each at any step. -DSTOP: a
 * ringer may also stop for ever without dying (SIGSTOP). -DEVENTFD: sabird is the sleeper; its doorbell is an eventfd, which is
 * sticky, so the word stays as it is and only tells ringers whether to write. -DONE_PROCESS: the ringers are threads of one process
 * (nobody dies), and remember together.
 *
 * Checked, when nothing moves any more: all that was published by ringers that are not stopped was taken; every death was seen.
 *
 * Assumed: FUTEX_WAIT compares and sleeps in one step; FUTEX_WAKE wakes whoever sleeps at that moment and nobody else. The
 * seq_cst fences are sequential consistency here: the NOFENCE mutations take the load before the store instead. The
 * sequence does not come round while somebody is between its set and its wait (2^31 rings).
 *
 * Mutations, each must be found:
 *   BUG_NOADD         Q8  the ringer wakes without adding: a wake between the sleeper's look and its wait is lost
 *   BUG_SAMEVALUE     Q8  going to sleep does not move the sequence: who rang for one sleep does not ring for the next
 *   BUG_CLEARS        Q8  the ringer clears the bit, then wakes (-DSTOP: stopped in between, it swallows everybody's wake-ups)
 *   BUG_CLEARS + BUG_RINGIFASLEEP  D2  ... and sabird rings after a death only if the bit is set
 *   BUG_RINGERFENCE   Q8  the ringer loads the word before what it published is visible
 *   BUG_SLEEPERFENCE  Q8  the sleeper looks before its bit is visible
 *   BUG_NOLOOK        Q8  the sleeper does not look again after setting the bit
 *   BUG_NORING        D2  sabird rings nobody after a death
 *   BUG_RINGFIRST     D2  sabird rings, then appends to the log
 *   BUG_DEATHNOLOOK   Q8  (EVENTFD) sabird does not look at its sources after a death
 *   BUG_READLATE      Q8  (EVENTFD) sabird reads the eventfd after it looked
 */
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef RINGS
#define RINGS 2
#endif

/* Shared memory. The word is the bit and a sequence; of the sequence only this matters: who still meets the value it left. */
bool sleeping;                          /* the bit */
bool as_set;                            /* the word is what the sleeper set before its look */
bool as_moved[2];                       /* the sequence is what ringer i made it */
bool memo[2];                           /* ... and what its process noted after its wake (private memory of the process) */
byte source[2], log;
#define SEQUENCE_MOVES as_set = false; as_moved[0] = false; as_moved[1] = false; memo[0] = false; memo[1] = false
#if defined(BUG_SAMEVALUE) || defined(EVENTFD)
#define GO_TO_SLEEP sleeping = true; as_set = true
#else
#define GO_TO_SLEEP SEQUENCE_MOVES; sleeping = true; as_set = true
#endif
#define CLEAR_BIT   sleeping = false; as_set = false
#ifdef ONE_PROCESS
#define MEMO memo[0]
#else
#define MEMO memo[me]
#endif

/* The kernel. */
bool in_wait, eventfd;
#define FUTEX_WAKE in_wait = false

/* The world. */
bool dead[2], stopped[2];
byte deaths = DEATHS, stops = 1;
byte log_seen;                          /* the sleeper's private position */

/* ------------------------------------------------------------------ ringers */
#ifdef STOP
#define STOPS :: atomic { stops > 0 -> stops--; stopped[me] = true; goto gone }
#else
#define STOPS
#endif
#define STEP(x) if \
  :: atomic { deaths > 0 -> deaths--; dead[me] = true; goto gone } \
  STOPS \
  :: atomic { true -> x } fi

proctype Ringer(byte me) {
  byte n; bool ring;
  do
  :: n < RINGS ->
#ifdef BUG_RINGERFENCE
     STEP(ring = sleeping && !MEMO); STEP(source[me]++);
#else
     STEP(source[me]++); STEP(ring = sleeping && !MEMO);        /* publish, fence, load */
#endif
     if
     :: ring ->
#if defined(EVENTFD)
        STEP(eventfd = true)
#elif defined(BUG_CLEARS)
        STEP(ring = sleeping; CLEAR_BIT);
        if :: ring -> STEP(FUTEX_WAKE) :: else fi
#else
#ifndef BUG_NOADD
        STEP(SEQUENCE_MOVES; as_moved[me] = true);
#endif
        STEP(FUTEX_WAKE);
        STEP(MEMO = as_moved[me])       /* only now: others of the process rely on a wake that is over */
#endif
     :: else
     fi;
     ring = false; n++
  :: else -> break
  od;
gone:
  atomic { ring = false; n = 0 }
}

/* ------------------------------------------------------------------ sleeper */
#define SOMETHING (source[0] || source[1] || log != log_seen)

active proctype Sleeper() {
  bool found;
#ifdef EVENTFD
  bool death_seen[2];
#endif
work:
  atomic { source[0] = 0 };             /* take what is there */
  atomic { source[1] = 0 };
  log_seen = log;
#ifdef BUG_SLEEPERFENCE
  found = SOMETHING;
  atomic { GO_TO_SLEEP };
#else
  atomic { GO_TO_SLEEP };
#ifndef BUG_NOLOOK
  found = (source[0] != 0);             /* fence, then look at all sources again */
  if :: !found -> found = (source[1] != 0) :: else fi;
  if :: !found -> found = (log != log_seen) :: else fi;
#endif
#endif
  if :: found -> goto awake :: else fi;
#ifdef EVENTFD
end_poll:
  if
#ifdef BUG_READLATE
  :: eventfd -> atomic { source[0] = 0 }; atomic { source[1] = 0 }; eventfd = false; goto end_poll
#else
  :: eventfd -> eventfd = false         /* read it, then look */
#endif
  :: atomic { dead[0] && !death_seen[0] -> death_seen[0] = true
#ifdef BUG_DEATHNOLOOK
              ; goto end_poll
#endif
     }
  :: atomic { dead[1] && !death_seen[1] -> death_seen[1] = true
#ifdef BUG_DEATHNOLOOK
              ; goto end_poll
#endif
     }
  fi;
#else
  if                                    /* FUTEX_WAIT */
  :: atomic { as_set -> in_wait = true };
end_wait:
     !in_wait
  :: !as_set
  fi;
#endif
awake:
  atomic { CLEAR_BIT; found = false };  /* the sleeper alone clears it */
  goto work
}

/* ------------------------------------------------------------------- sabird */
#ifndef EVENTFD
active proctype Sabird() {
  bool published[2];
end_idle:
  if
  :: atomic { dead[0] && !published[0] -> published[0] = true }
  :: atomic { dead[1] && !published[1] -> published[1] = true }
  fi;
#ifdef BUG_RINGFIRST
  atomic { SEQUENCE_MOVES }; FUTEX_WAKE; log++;
#else
  log++;
#if defined(BUG_NORING)
  skip;
#elif defined(BUG_RINGIFASLEEP)
  if :: atomic { sleeping -> CLEAR_BIT }; FUTEX_WAKE :: else fi;
#elif defined(BUG_CLEARS)
  atomic { CLEAR_BIT }; FUTEX_WAKE;
#else
  atomic { SEQUENCE_MOVES }; FUTEX_WAKE;
#endif
#endif
  goto end_idle
}
#endif

active proctype Monitor() {
end_watch:
  timeout -> assert(log == log_seen); assert(source[0] == 0 || stopped[0]); assert(source[1] == 0 || stopped[1])
}
init { atomic { run Ringer(0); run Ringer(1) } }
