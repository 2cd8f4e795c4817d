/*
 * overflow.pml: calls that do not fit into the ring wait with the submitter.
 *
 * Rules: Q4 (private FIFO, its length published; a worker rings the submitter when the ring falls under a quarter), Q8 (the
 * sleeper looks at all its sources again), D2 (4) (after a death everybody is rung).
 *
 * One submitter with CALLS calls, one ring of RING slots, WORKERS workers. A claim is one step (queue.pml). The submitter sleeps
 * while calls are left in its FIFO and the ring is full. DEATHS workers die, each at any step.
 *
 * Checked, when nothing moves any more: no call is left in the FIFO or in the ring while a worker lives.
 *
 * Assumed: sequential consistency, so "publish the length, fence, look at the ring" and "move head, fence, look at the length"
 * are needed in the code; results ring nobody here, although each would wake the submitter, too.
 *
 * Mutations, each must be found:
 *   BUG_NOLOOK      Q8  the submitter does not look at the ring again before it sleeps
 *   BUG_LENGTHLATE  Q4  the length is published after that look
 *   BUG_LOOKFIRST   Q4  a worker looks at the length before it moves head
 *   BUG_NORING      D2  nobody rings the submitter for a worker that died with the ring in its hand
 */
#ifndef RING
#define RING 4
#endif
#ifndef CALLS
#define CALLS 8
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#define QUARTER (RING/4)

byte head, tail, length;                /* shared: the ring's ends, the FIFO's length */
bool rung;                              /* the submitter's doorbell (doorbell.pml) */
bool unpublished;                       /* a death that sabird has not told yet */
byte deaths, living = WORKERS;
byte left = CALLS;                      /* private: calls that are not in the ring yet */

#define DIES :: atomic { deaths > 0 -> deaths--; living--; unpublished = true; goto gone }
#define STEP(x) if DIES :: atomic { true -> x } fi

proctype Worker() {
  byte mine; bool ring;
end_idle:
  if
  DIES
#ifdef BUG_LOOKFIRST
  :: atomic { head < tail -> ring = (length > 0) };
     atomic { if :: head < tail -> mine = head; head++ :: else -> ring = false; goto end_idle fi };
     STEP(ring = (ring && tail - (mine + 1) < QUARTER));
#else
  :: atomic { head < tail -> mine = head; head++ };
     STEP(ring = (tail - (mine + 1) < QUARTER));
     STEP(ring = (ring && length > 0));
#endif
  fi;
  if :: ring -> STEP(rung = true) :: else fi;
  atomic { ring = false; mine = 0; goto end_idle };
gone:
  atomic { ring = false; mine = 0 }
}

active proctype Submitter() {
  byte i;
  /* how many die is decided first: else a death still to come would hide a lost wake-up */
  atomic { do :: deaths < DEATHS -> deaths++ :: break od;
           do :: i < WORKERS -> run Worker(); i++ :: else -> i = 0; break od };
awake:
  rung = false;
  do
  :: left > 0 && tail - head < RING -> atomic { tail++; left-- }
  :: left > 0 && tail - head >= RING -> break
  :: left == 0 -> length = 0; goto done
  od;
#ifndef BUG_LENGTHLATE
  length = left;
#endif
#ifndef BUG_NOLOOK
  if :: tail - head < RING -> goto awake :: else fi;
#endif
#ifdef BUG_LENGTHLATE
  length = left;
#endif
end_sleep:
  rung;
  goto awake;
done:
  skip
}

active proctype Sabird() {
end_idle:
  do
  :: atomic { unpublished -> unpublished = false };
#ifndef BUG_NORING
     rung = true
#endif
  od
}

active proctype Monitor() {
end_watch:
  timeout -> assert(living == 0 || (left == 0 && head == tail))
}
