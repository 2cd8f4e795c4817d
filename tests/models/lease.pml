/*
 * lease.pml: who may claim, and a get inside a task that lends its CPU.
 *
 * Rules: L2 (a lease is read before each claim; once withdrawn, its resources are free when the worker says so at a border),
 * L4 (lend, depth first, resume at once, withdrawn at the next border).
 *
 * CPUS CPUs of one class; WORKERS processes; a driver with ROOTS calls. A call above level DEPTH submits WIDTH calls to its
 * worker's own queue and then gets them all at once; with -DEACH it gets one after the other, with -DONE_BY_ONE it submits the
 * next one only after it got the one before. A worker claims from its lease's first queue, then from the queues of those who
 * lent their CPUs, the last one first, then from any other. sabird grants a free CPU to any idle worker; the first queue is found
 * in the same order. It withdraws leases WITHDRAWALS times, at any moment.
 *
 * Checked: whoever claims runs on a CPU of its own, but for workers that resumed from a get and have not come to a border
 * since; all calls finish with WORKERS processes (else an invalid end state).
 *
 * Assumed: nobody dies; a queue is one step (queue.pml); everybody looks when there is something to see (doorbell.pml).
 *
 * Where it was more exact than the rules once were (README.md):
 *   E1  A withdrawn lease keeps its epoch in the lease's word and loses its class, so that a worker that never saw the lease
 *       can give it back, too.
 *   E2  Depth first must also hold when a worker goes round, not only for the lease's first queue.
 *   E3  Even so CPUS * DEPTH processes are enough only if each call gets once. -DEACH and -DONE_BY_ONE need more, the more the
 *       more roots: a resumed worker runs beside the one that has its CPU, which may open another root; then both block.
 *
 * Mutations, each must be found:
 *   BUG_FREEATONCE  L2  the resources are free at the withdrawal, not at the worker's word
 *   BUG_KEEP        L4  a resumed worker goes on claiming under its lease
 *   BUG_NOLEND      L4  a blocked worker keeps its CPU
 *   BUG_BREADTH     L4  the first queue is any queue, also while a lender's calls wait
 *   BUG_FIRSTLENDER L4  the first queue is that of the worker that lent first, not last
 *   BUG_ROUNDANY    E2  a worker goes round in any order (-DDEPTH=3)
 *   BUG_FORGETEPOCH E1  a withdrawal clears the epoch: a worker that had not seen the lease cannot give it back
 */
#ifndef CPUS
#define CPUS 1
#endif
#ifndef ROOTS
#define ROOTS 3
#endif
#ifndef DEPTH
#define DEPTH 2
#endif
#ifndef WIDTH
#define WIDTH 2
#endif
#ifndef WORKERS
#define WORKERS (CPUS*DEPTH)
#endif
#ifndef WITHDRAWALS
#define WITHDRAWALS 2
#endif
#if WORKERS > 4
#error "at most four workers"
#endif
#define CALLS (ROOTS*(1 + WIDTH + WIDTH*WIDTH))
#define LEVEL(c) ((c) < ROOTS -> 1 : ((c) < ROOTS*(1 + WIDTH) -> 2 : 3))
#define CHILD(c, k) ((c) < ROOTS -> ROOTS + (c)*WIDTH + (k) : ROOTS*(1 + WIDTH) + ((c) - ROOTS)*WIDTH + (k))

/* Shared memory. */
chan queue[WORKERS+1] = [8] of { byte };        /* 0: the driver's; w + 1: worker w's */
bool done[CALLS];
byte epoch[WORKERS], first[WORKERS];            /* node segment: a lease's word; first queue NONE: withdrawn */
byte returned[WORKERS]; bool blocked[WORKERS];  /* the workers' pages: the epoch that is over; in a get */
byte lender[WORKERS], lenders;                  /* who is blocked, in the order of the lending (sabird knows) */
#define NONE 255
#define WAITS(q) (len(queue[q]) > 0)
#if WORKERS > 3
#define ANY_WAITS (WAITS(0) || WAITS(1) || WAITS(2) || WAITS(3) || WAITS(4))
#elif WORKERS > 2
#define ANY_WAITS (WAITS(0) || WAITS(1) || WAITS(2) || WAITS(3))
#else
#define ANY_WAITS (WAITS(0) || WAITS(1) || WAITS(2))
#endif

byte running, roots_left = ROOTS;               /* for the assertions alone */
#define OVER (roots_left == 0)

/* ------------------------------------------------------------------ workers */
#define CLAIM(q) WAITS(q) -> queue[q] ? call; running++; assert(running <= CPUS)
#if defined(ONE_BY_ONE) || defined(EACH)
#define GOT done[CHILD(call, k)]
#else
#define GOT (done[CHILD(call, 0)] && done[CHILD(call, WIDTH - 1)])
#endif

inline get() {
  if
  :: GOT
  :: else ->
#ifdef BUG_NOLEND
     GOT
#else
     atomic { if :: !resumed -> running-- :: else fi; blocked[me] = true; resumed = true; lender[lenders] = me; lenders++ };
     atomic {                                                   /* resumes at once, CPU or not */
       GOT -> blocked[me] = false; lenders--; q = 0;
       do :: lender[q] != me -> q++ :: else -> break od;
       do :: q < lenders -> lender[q] = lender[q+1]; q++ :: else -> lender[q] = 0; q = 0; break od }
#endif
  fi
}

proctype Worker(byte me) {
  byte lease, call, k, q; bool resumed;
border:
  if
  :: atomic { OVER -> goto left }
  :: atomic { first[me] != NONE && epoch[me] != returned[me] && ANY_WAITS -> lease = epoch[me]; q = first[me] }
#ifdef BUG_FORGETEPOCH
  :: atomic { first[me] == NONE && lease != returned[me] -> returned[me] = lease; goto border }
#else
  :: atomic { first[me] == NONE && epoch[me] != returned[me] -> returned[me] = epoch[me]; goto border }
#endif
  fi;
claim:
  if
  :: atomic { CLAIM(q) }
  :: atomic { !WAITS(q) ->                                      /* goes round, the last lender's queue first */
#ifndef BUG_ROUNDANY
        k = lenders;
        do
        :: k > 0 -> k--; if :: WAITS(lender[k] + 1) -> q = lender[k] + 1; k = 0; goto claim :: else fi
        :: else -> break
        od;
#endif
        if
        :: CLAIM(0)
        :: CLAIM(1)
        :: CLAIM(2)
#if WORKERS > 2
        :: CLAIM(3)
#endif
#if WORKERS > 3
        :: CLAIM(4)
#endif
        :: !ANY_WAITS -> q = 0; goto border
        fi }
  fi;
  q = 0;
  if
  :: LEVEL(call) < DEPTH ->
     do
     :: k < WIDTH ->
        queue[me+1] ! CHILD(call, k);
#ifdef ONE_BY_ONE
        get();
#endif
        k++
     :: else -> break
     od;
#if defined(EACH)
     k = 0; do :: k < WIDTH -> get(); k++ :: else -> break od
#elif !defined(ONE_BY_ONE)
     get()
#endif
  :: else
  fi;
  atomic {
    done[call] = true; k = 0;
    if :: call < ROOTS -> roots_left-- :: else fi; call = 0;
    if :: !resumed -> running-- :: else fi;
#ifdef BUG_KEEP
    resumed = false
#endif
  };
  atomic { if :: resumed -> returned[me] = lease; resumed = false :: else fi };
  goto border;
left:
  skip
}

/* ------------------------------------------------------------------- sabird */
bool uses[WORKERS];                             /* private: whose lease counts */
byte withdrawals = WITHDRAWALS;
#define IN_USE(w) (uses[w] && !blocked[w])
#if WORKERS > 3
#define CPU_FREE (IN_USE(0) + IN_USE(1) + IN_USE(2) + IN_USE(3) < CPUS)
#elif WORKERS > 2
#define CPU_FREE (IN_USE(0) + IN_USE(1) + IN_USE(2) < CPUS)
#else
#define CPU_FREE (IN_USE(0) + IN_USE(1) < CPUS)
#endif
#ifdef BUG_FREEATONCE
#define FREE_NOW(w) uses[w] = false
#else
#define FREE_NOW(w) skip
#endif
#define STEPS(w) \
  :: atomic { uses[w] && returned[w] == epoch[w] -> uses[w] = false; first[w] = NONE } \
  :: atomic { withdrawals > 0 && uses[w] && first[w] != NONE -> withdrawals--; first[w] = NONE; FREE_NOW(w) } \
  :: atomic { !uses[w] && epoch[w] == returned[w] && CPU_FREE && ANY_WAITS -> worker = w; goto grant }
#define ANY(q) :: WAITS(q) -> first[worker] = q

active proctype Sabird() {
  byte worker, i;
  atomic { do :: i < ROOTS -> queue[0] ! i; i++ :: else -> i = 0; break od;
           do :: i < WORKERS -> first[i] = NONE; run Worker(i); i++ :: else -> i = 0; break od };
next:
  if
  STEPS(0)
  STEPS(1)
#if WORKERS > 2
  STEPS(2)
#endif
#if WORKERS > 3
  STEPS(3)
#endif
  :: atomic { OVER -> goto left }
  fi;
  goto next;
grant:
  atomic {
#if defined(BUG_BREADTH)
    skip;
#elif defined(BUG_FIRSTLENDER)
    do
    :: i < lenders -> if :: WAITS(lender[i] + 1) -> first[worker] = lender[i] + 1; goto given :: else -> i++ fi
    :: else -> break
    od;
#else
    i = lenders;
    do
    :: i > 0 -> i--; if :: WAITS(lender[i] + 1) -> first[worker] = lender[i] + 1; goto given :: else fi
    :: else -> break
    od;
#endif
    if
    ANY(0)
    ANY(1)
    ANY(2)
#if WORKERS > 2
    ANY(3)
#endif
#if WORKERS > 3
    ANY(4)
#endif
    :: else -> worker = 0; i = 0; goto next     /* somebody took it meanwhile */
    fi;
given:
    epoch[worker]++; uses[worker] = true; worker = 0; i = 0; goto next };
left:
  skip
}
