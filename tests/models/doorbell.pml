/*
 * doorbell.pml: one process sleeps, others ring it.
 *
 * Rules: Q8 (the word: sequence and SLEEPING bit; who adds, who wakes, who clears), D2 (3) and (4) (after a death sabird appends
 * to the log, then adds to and wakes every doorbell, whatever its word says).
 *
 * Two ringers publish RINGS times each into a source of their own; one sleeper; DEATHS ringers die, each at any step. -DSTOP: a
 * ringer may also stop for ever without dying (SIGSTOP). -DEVENTFD: sabird is the sleeper; its doorbell is an eventfd, which is
 * sticky, so the word stays as it is and only tells ringers whether to write.
 *
 * Checked, when nothing moves any more: all that was published by ringers that are not stopped was taken; every death was seen.
 *
 * Assumed: FUTEX_WAIT compares and sleeps in one step; FUTEX_WAKE wakes whoever sleeps at that moment and nobody else. The
 * seq_cst fences are sequential consistency here: the NOFENCE mutations take the load before the store instead. The
 * sequence does not come round while somebody is between its set and its wait (2^31 rings).
 *
 * Mutations, each must be found:
 *   BUG_NOADD         Q8  the ringer wakes without adding: a wake between the sleeper's look and its wait is lost
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

/* Shared memory. */
byte word;                              /* 2 * sequence + SLEEPING */
byte source[2], log;
#define SLEEPING(w) ((w) & 1)
#define ADD_ONE     word = word + 2
#define SET_BIT     word = word | 1
#define CLEAR_BIT   word = word & 254

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
  byte n, w;
  do
  :: n < RINGS ->
#ifdef BUG_RINGERFENCE
     STEP(w = word); STEP(source[me]++);
#else
     STEP(source[me]++); STEP(w = word);                        /* publish, fence, load */
#endif
     if
     :: SLEEPING(w) ->
#if defined(EVENTFD)
        STEP(eventfd = true)
#elif defined(BUG_CLEARS)
        STEP(w = SLEEPING(word); CLEAR_BIT);
        if :: w -> STEP(FUTEX_WAKE) :: else fi
#else
#ifndef BUG_NOADD
        STEP(ADD_ONE);
#endif
        STEP(FUTEX_WAKE)
#endif
     :: else
     fi;
     w = 0; n++
  :: else -> break
  od;
gone:
  atomic { w = 0; n = 0 }
}

/* ------------------------------------------------------------------ sleeper */
#define SOMETHING (source[0] || source[1] || log != log_seen)

active proctype Sleeper() {
  byte remembered; bool found;
#ifdef EVENTFD
  bool death_seen[2];
#endif
work:
  atomic { source[0] = 0 };             /* take what is there */
  atomic { source[1] = 0 };
  log_seen = log;
#ifdef BUG_SLEEPERFENCE
  found = SOMETHING;
  atomic { SET_BIT; remembered = word };
#else
  atomic { SET_BIT; remembered = word };
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
  :: atomic { word == remembered -> in_wait = true };
end_wait:
     !in_wait
  :: word != remembered
  fi;
#endif
awake:
  CLEAR_BIT;                            /* the sleeper alone clears it */
  atomic { remembered = 0; found = false };
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
  ADD_ONE; FUTEX_WAKE; log++;
#else
  log++;
#if defined(BUG_NORING)
  skip;
#elif defined(BUG_RINGIFASLEEP)
  if :: SLEEPING(word) -> CLEAR_BIT; FUTEX_WAKE :: else fi;
#elif defined(BUG_CLEARS)
  CLEAR_BIT; FUTEX_WAKE;
#else
  ADD_ONE; FUTEX_WAKE;
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
