/*
 * queue.pml: a work queue from submission to reuse.
 *
 * Rules: Q1 (cells are reused, type-stable), Q2 (the cell's word), Q3 (ring, claim, help with head), Q4 (what does not fit
 * waits with the submitter), Q5 (reply stack), R1, R2 (repair by the submitter), D1-D5 (death, log, acknowledgement, heir).
 *
 * One submitter with CELLS cells and CALLS calls in two classes (one ring of RING slots each, so rings wrap round and the
 * same cell serves both classes), two workers whose lease names either class after each record (L2), and sabird.
 * Workers die at any step, WORKER_DEATHS times in all, and come back in the *same slot*; the submitter dies at any step if
 * SUBMITTER_DEATHS is 1. It may cancel one queued call. Call 1 has escaped (O6): the heir must let it run on.
 *
 * Checked:
 *   - each call ends exactly once (result, error or cancel), or its submitter died before it was in a cell;
 *   - a call runs at most once per attempt, and only under a lease on its class;
 *   - no call and no cell is lost: every run ends with all cells free (a lost one shows as an invalid end state);
 *   - nobody touches the memory of a dead submitter once it was given out again.
 *
 * Assumed: sequential consistency (the memory orders are TSan's and the reviewer's); whoever waits is woken (doorbell.pml);
 * R1's result for a call that may have run is either another attempt or an error, whatever the limits say.
 * Stronger than the code: a worker's slot is reused as soon as the submitter has acknowledged, not all processes.
 *
 * Where it was more exact than the rules once were (README.md):
 *   A1  An escaped call is claimed after its submitter's death was logged. Default: a process acknowledges that death only when it
 *       has also seen the dead one's queues leave the directory, which they do when no cell of the dead one is QUEUED, and a new
 *       process does not start behind it in the log. -DHEIR_KEEPS: everybody acknowledges at once; the heir gives the memory
 *       out only when, besides, each escaped cell that was left QUEUED came back on the reply stack or its claimer died. (Then
 *       a process may still look into the ring and cells when they are given out. Its looks and its failing compare-and-swaps
 *       hurt nobody here; whether a look can meet the ring's next owner is not modelled.)
 *   A2  An escaped call that is QUEUED but not in the ring (the submitter died in between) never runs: the heir cancels it.
 *   A3  The heir takes every DONE cell, whoever claimed it: a batch that the submitter had taken off its reply stack died
 *       with it. It keeps private note of what it took.
 *   C2  -DHEAD_STORE holds, too: head is stored instead of compared and swapped.
 *
 * Mutations, each must be found:
 *   BUG_NOGEN         Q2  a claim compares the state alone, not the slot's generation
 *   BUG_SAMEGEN       Q2  DONE -> FREE leaves the generation as it is
 *   BUG_CANCELGEN     Q2  a cancelled cell is freed with its old generation
 *   BUG_QUEUEDLATE    Q3  slot and tail first, QUEUED after them
 *   BUG_TAILFIRST     Q3  tail before the slot
 *   BUG_HEADFIRST     Q3  a worker moves head before it claims the cell
 *   BUG_HEADADD       Q3  head is moved by an add, not by a compare-and-swap
 *   BUG_NOHELP        Q3  only the claimer moves head
 *   BUG_OVERWRITE     Q4  the submitter appends to a full ring
 *   BUG_EXCHANGELINK  Q5  reply stack: exchange the head, then link (the submitter waits for a missing link)
 *   BUG_PUSHFIRST     Q2  the cell is pushed before it is DONE
 *   BUG_NOREPAIR      R1  no repair after a worker's death
 *   BUG_NODRAIN       R1  the scan without the drain before it
 *   BUG_SCANFIRST     R1  the scan before the drain
 *   BUG_SABIRDREQUEUES R2 sabird puts a dead worker's record back into the ring itself
 *   BUG_SUSPECT       D1  a worker is logged as dead while it lives
 *   BUG_SLOTREUSE     D4  a slot is given out again before the submitter acknowledged its last owner's death
 *   BUG_NOACK         D4  memory is given out again without acknowledgements
 *   BUG_EARLYACK      D3  a worker acknowledges while it runs a call of the dead one
 *   BUG_ACKLISTED     A1  a worker acknowledges although the dead one's queue is still in the directory
 *   BUG_NEWATEND      A1  a new worker counts as having acknowledged all that is in the log
 *   BUG_HEIRQUEUED    A2  the heir leaves every escaped QUEUED call alone
 *   BUG_KEEPDONE      A1  (HEIR_KEEPS) the heir waits for a kept call to be DONE, not for its return
 *   BUG_HEIRCANCELS   D5  the heir cancels escaped calls too
 *   BUG_HEIRDEADONLY  A3  the heir takes DONE cells of dead claimers only (and what lies on the reply stack)
 */
#ifndef CELLS
#define CELLS 2
#endif
#ifndef CALLS
#define CALLS 3
#endif
#ifndef RING
#define RING 2
#endif
#ifndef WORKER_DEATHS
#define WORKER_DEATHS 1
#endif
#ifndef SUBMITTER_DEATHS
#define SUBMITTER_DEATHS 1
#endif
#ifndef CANCELS
#define CANCELS 0
#endif
#define CLASS(call)   ((call) == 2)     /* class 1: call 2; class 0: the others */
#define ESCAPED(call) ((call) == 1)

mtype = { FREE, QUEUED, CLAIMED, CANCELLED, DONE };
typedef Cell { byte gen; mtype state; byte claimer;    /* the word */
               byte call; byte result; byte next }     /* arguments, result, link */

/* Shared memory. */
Cell cell[CELLS];
byte slot_gen[2*RING], slot_cell[2*RING], head[2], tail[2];
#define SLOT(class, n) ((class)*RING + (n) % RING)
byte reply;                                            /* head of the reply stack: cell + 1, or 0 */
bool logged[2], submitter_logged, listed = true;       /* death log and directory, written by sabird */
bool repaired[2], acked[2];                            /* acknowledgements: of a worker's death, of the submitter's death */

/* The world, seen by the kernel and by the assertions alone. */
bool dead[2], submitter_dead, given_out, over;
byte worker_deaths, submitter_deaths, cancels = CANCELS;
byte attempts[CALLS+1], ran[CALLS+1], ended[CALLS+1];

#define UNLINKED 255                    /* BUG_EXCHANGELINK alone */
#define TOUCH assert(!given_out)
#ifdef HEIR_KEEPS
#define LOOK true                       /* type-stable: a look, and a compare-and-swap that fails, hurt nobody */
#else
#define LOOK TOUCH
#endif
#define ENDS(c) ended[c]++; assert(ended[c] == 1)

/* ------------------------------------------------------------------ worker */
#define DIES :: atomic { worker_deaths > 0 -> worker_deaths--; dead[me] = true; goto died }
#define STEP(x) if DIES :: atomic { true -> x } fi
#ifdef BUG_NOGEN
#define MATCHES (cell[i].state == QUEUED)
#else
#define MATCHES (cell[i].state == QUEUED && cell[i].gen == gen)
#endif
#ifdef HEAD_STORE
#define MOVE_HEAD head[class] = h + 1
#else
#define MOVE_HEAD if :: head[class] == h -> head[class]++ :: else fi
#endif
#define ACK_NOW (submitter_logged && !acked[me])

inline push_reply() {
#ifdef BUG_EXCHANGELINK
  STEP(TOUCH; cell[i].next = UNLINKED);
  STEP(TOUCH; top = reply; reply = i + 1);
  STEP(TOUCH; cell[i].next = top);
#else
  do
  :: STEP(TOUCH; top = reply);
     STEP(TOUCH; cell[i].next = top);
     if
     DIES
     :: atomic { reply == top -> TOUCH; reply = i + 1; break }
     :: atomic { reply != top -> TOUCH }
     fi
  od;
#endif
  top = 0
}

proctype Worker(byte me) {
  byte class, h, gen, i, top; bool won;
border:                                 /* between two records: leases change, deaths are noticed */
  atomic { class = 0; h = 0; gen = 0; i = 0; top = 0; won = false };
  if
  DIES
  :: atomic { listed && head[0] < tail[0] -> LOOK; class = 0; h = head[0] }
  :: atomic { listed && head[1] < tail[1] -> LOOK; class = 1; h = head[1] }
#if defined(BUG_ACKLISTED) || defined(HEIR_KEEPS)
  :: atomic { ACK_NOW -> acked[me] = true; goto border }
#else
  :: atomic { ACK_NOW && !listed -> acked[me] = true; goto border }
#endif
  :: atomic { over -> goto finished }
  fi;
  STEP(LOOK; gen = slot_gen[SLOT(class, h)]; i = slot_cell[SLOT(class, h)]);
#ifdef BUG_HEADFIRST
  STEP(MOVE_HEAD);
#endif
  STEP(LOOK; if :: MATCHES -> TOUCH; cell[i].state = CLAIMED; cell[i].claimer = me + 1; won = true :: else fi);
#ifdef BUG_HEADADD
  STEP(LOOK; head[class]++);
#elif defined(BUG_NOHELP)
  if :: won -> STEP(LOOK; MOVE_HEAD)
     :: else -> if DIES :: head[class] != h :: over fi
  fi;
#else
  STEP(LOOK; MOVE_HEAD);
#endif
  atomic { if :: !won -> goto border :: else fi; h = 0; gen = 0; won = false };

  STEP(TOUCH; top = cell[i].call; assert(CLASS(top) == class); ran[top]++; assert(ran[top] <= attempts[top]);
       cell[i].result = top; top = 0; class = 0);
#ifdef BUG_EARLYACK
  if :: atomic { ACK_NOW && !listed -> acked[me] = true } :: true fi;
#endif
#ifdef BUG_PUSHFIRST
  push_reply();
#endif
  STEP(TOUCH; assert(cell[i].state == CLAIMED && cell[i].claimer == me + 1); cell[i].state = DONE);
#ifndef BUG_PUSHFIRST
  push_reply();
#endif
  goto border;

died:                                   /* the slot's next owner begins here, once sabird gives the slot out again */
  atomic { class = 0; h = 0; gen = 0; i = 0; top = 0; won = false };
  if :: atomic { !dead[me] -> goto border } :: over fi;
finished:
  skip
}

/* --------------------------------------------------------------- submitter */
#undef DIES
#define SDIES :: atomic { submitter_deaths > 0 -> submitter_deaths--; submitter_dead = true; goto sdied }
#define SSTEP(x) if SDIES :: atomic { true -> x } fi
#ifdef BUG_SAMEGEN
#define NEXT_GEN(i)
#else
#define NEXT_GEN(i) cell[i].gen++;
#endif
#ifdef BUG_CANCELGEN
#define CANCEL_GEN(i)
#else
#define CANCEL_GEN(i) cell[i].gen++;
#endif
#define CLEAR(i) cell[i].claimer = 0; cell[i].call = 0; cell[i].result = 0; cell[i].next = 0
#define CONSUME(i) assert(cell[i].state == DONE); assert(cell[i].result == cell[i].call); \
                   ENDS(cell[i].call); cell[i].state = FREE; NEXT_GEN(i) CLEAR(i)
#define FULL(class) (tail[class] - head[class] >= RING)
#ifdef BUG_OVERWRITE
#define ROOM(class) true
#else
#define ROOM(class) (!FULL(class))
#endif
#define HEAD_GEN(class)  slot_gen[SLOT(class, head[class])]
#define HEAD_CELL(class) slot_cell[SLOT(class, head[class])]
#define HEAD_STALE(class) (!(cell[HEAD_CELL(class)].state == QUEUED && cell[HEAD_CELL(class)].gen == HEAD_GEN(class)))

inline drain() {                        /* take all by one exchange, then walk a private list */
  SSTEP(list = reply; reply = 0);
  do
  :: list != 0 ->
#ifdef BUG_EXCHANGELINK
     if SDIES :: cell[list-1].next != UNLINKED fi;
#endif
     SSTEP(i = list - 1; list = cell[i].next; CONSUME(i); i = 0)
  :: else -> break
  od
}
inline scan(w) {                        /* R1: all own cells that the dead worker had claimed */
  do
  :: i < CELLS ->
     SSTEP(if
           :: cell[i].claimer == w + 1 && cell[i].state == DONE -> CONSUME(i)
           :: cell[i].claimer == w + 1 && cell[i].state == CLAIMED ->
              if :: waiting[cell[i].call] = true                /* another attempt */
                 :: ENDS(cell[i].call)                          /* or a typed error */
              fi;
              cell[i].state = FREE; cell[i].gen++; CLEAR(i)
           :: else
           fi; i++)
  :: else -> i = 0; break
  od
}
inline repair(w) {
#if defined(BUG_NOREPAIR)
  skip;
#elif defined(BUG_NODRAIN)
  scan(w);
#elif defined(BUG_SCANFIRST)
  scan(w); drain();
#else
  drain(); scan(w);
#endif
  SSTEP(repaired[w] = true)
}

#if CALLS == 2
#define ALL_ENDED (ended[1] && ended[2])
#elif CALLS == 3
#define ALL_ENDED (ended[1] && ended[2] && ended[3])
#else
#define ALL_ENDED (ended[1] && ended[2] && ended[3] && ended[4])
#endif
#define ANY_FREE (cell[0].state == FREE || cell[CELLS-1].state == FREE)
#define FITS(c) (waiting[c] && ROOM(CLASS(c)))           /* in call order, but for what does not fit */

active proctype Submitter() {
  bool waiting[CALLS+1];                /* the private FIFO of Q4, as a set */
  byte i, call, list;
  atomic { call = 1; do :: call <= CALLS -> waiting[call] = true; call++ :: else -> call = 0; break od;
           i = 0; do :: i < CELLS -> cell[i].state = FREE; i++ :: else -> i = 0; break od;
           /* how many die is decided first: else a death still to come would hide a lost call's invalid end state */
           do :: worker_deaths < WORKER_DEATHS -> worker_deaths++ :: break od;
           do :: submitter_deaths < SUBMITTER_DEATHS -> submitter_deaths++ :: break od;
           run Worker(0); run Worker(1) };
ready:
  if
  SDIES
  :: atomic { ANY_FREE && FITS(1) -> call = 1; goto submit }
  :: atomic { ANY_FREE && !FITS(1) && FITS(2) -> call = 2; goto submit }
#if CALLS > 2
  :: atomic { ANY_FREE && !FITS(1) && !FITS(2) && FITS(3) -> call = 3; goto submit }
#endif
#if CALLS > 3
  :: atomic { ANY_FREE && !FITS(1) && !FITS(2) && !FITS(3) && FITS(4) -> call = 4; goto submit }
#endif
  /* the submitter, too, moves head past what no longer matches */
  :: atomic { FULL(0) && HEAD_STALE(0) -> head[0]++; goto ready }
  :: atomic { FULL(1) && HEAD_STALE(1) -> head[1]++; goto ready }
  /* a queued call is cancelled: in a ring, its cell is free at once */
  :: atomic { cancels > 0 && cell[0].state == QUEUED -> cancels--; i = 0; goto cancel }
  :: atomic { cancels > 0 && cell[1].state == QUEUED -> cancels--; i = 1; goto cancel }
  :: reply != 0 -> drain(); goto ready
  :: logged[0] && !repaired[0] -> repair(0); goto ready
  :: logged[1] && !repaired[1] -> repair(1); goto ready
  :: atomic { ALL_ENDED ->
        i = 0; do :: i < CELLS -> assert(cell[i].state == FREE); i++ :: else -> i = 0; break od;
        over = true; goto sdied }
  fi;

submit:
  atomic { i = 0; do :: cell[i].state != FREE -> i++ :: else -> break od };
  SSTEP(waiting[call] = false; attempts[call]++; cell[i].call = call);
#ifndef BUG_QUEUEDLATE
  SSTEP(cell[i].state = QUEUED);
#endif
#ifdef BUG_TAILFIRST
  SSTEP(tail[CLASS(call)]++);
  SSTEP(slot_gen[SLOT(CLASS(call), tail[CLASS(call)] - 1)] = cell[i].gen; slot_cell[SLOT(CLASS(call), tail[CLASS(call)] - 1)] = i);
#else
  SSTEP(slot_gen[SLOT(CLASS(call), tail[CLASS(call)])] = cell[i].gen; slot_cell[SLOT(CLASS(call), tail[CLASS(call)])] = i);
  SSTEP(tail[CLASS(call)]++);
#endif
#ifdef BUG_QUEUEDLATE
  SSTEP(cell[i].state = QUEUED);
#endif
  atomic { call = 0; i = 0; goto ready };

cancel:                                 /* a worker may have been quicker */
  SSTEP(if :: cell[i].state == QUEUED -> cell[i].state = CANCELLED; ENDS(cell[i].call); call = 1 :: else -> skip fi);
  if :: call -> SSTEP(cell[i].state = FREE; CANCEL_GEN(i) CLEAR(i)) :: else fi;
  atomic { call = 0; i = 0; goto ready };
sdied:
  atomic { list = 0; i = 0; call = 0 }
}

/* ------------------------------------------------------------------ sabird */
bool taken[CELLS];                      /* private: the heir knows how this cell's call ended */
#define IN_SLOT(i, k, n) (head[k] <= (n) && (n) < tail[k] && slot_cell[SLOT(k, n)] == i && slot_gen[SLOT(k, n)] == cell[i].gen)
#define IN_RING(i) (IN_SLOT(i, CLASS(cell[i].call), head[CLASS(cell[i].call)]) \
                 || IN_SLOT(i, CLASS(cell[i].call), head[CLASS(cell[i].call)] + 1))
#if RING > 2
#error "IN_RING looks at two slots"
#endif
#if defined(BUG_HEIRQUEUED)
#define RUNS_ON(i) ESCAPED(cell[i].call)
#elif defined(BUG_HEIRCANCELS)
#define RUNS_ON(i) false
#else
#define RUNS_ON(i) (ESCAPED(cell[i].call) && IN_RING(i))
#endif
#define CANCELLED_ALL (!(cell[0].state == QUEUED && !RUNS_ON(0)) && !(cell[1].state == QUEUED && !RUNS_ON(1)))
#define CLAIMER_LOGGED(i) ((cell[i].claimer == 1 && logged[0]) || (cell[i].claimer == 2 && logged[1]))
#ifdef BUG_HEIRDEADONLY
#define HEIR_TAKES(i) (CLAIMER_LOGGED(i) || reply == i + 1 || (reply && cell[reply-1].next == i + 1))
#else
#define HEIR_TAKES(i) true
#endif
#define HEIR(i) \
  :: atomic { submitter_dead && !given_out && cell[i].state == QUEUED && !RUNS_ON(i) -> \
              assert(!ESCAPED(cell[i].call) || !IN_RING(i)); cell[i].state = CANCELLED; ENDS(cell[i].call) } \
  :: atomic { submitter_logged && !taken[i] && cell[i].state == DONE && HEIR_TAKES(i) -> \
              assert(cell[i].result == cell[i].call); ENDS(cell[i].call); taken[i] = true } \
  :: atomic { submitter_logged && !taken[i] && cell[i].state == CLAIMED && CLAIMER_LOGGED(i) -> \
              ENDS(cell[i].call); taken[i] = true }
/* HEIR_KEEPS: an escaped cell that was left QUEUED, until it came back on the reply stack or its claimer died. */
#ifdef HEIR_KEEPS
bool kept[CELLS];
#define KEEP(i) kept[i] = (cell[i].state == QUEUED && RUNS_ON(i))
#define NOT_KEPT (!kept[0] && !kept[1])
#else
#define KEEP(i) skip
#define NOT_KEPT true
#endif
#define SETTLED(i) (cell[i].state == FREE || cell[i].state == CANCELLED || taken[i])
#ifdef HEIR_KEEPS
#define UNKEPT(i) && !kept[i]
#else
#define UNKEPT(i)
#endif
#define HEIR_REPAIRED(w) ((cell[0].claimer != w + 1 || SETTLED(0) UNKEPT(0)) && (cell[1].claimer != w + 1 || SETTLED(1) UNKEPT(1)))
#ifdef BUG_SLOTREUSE
#define SLOT_FREE(w) logged[w]
#else
#define SLOT_FREE(w) (logged[w] && repaired[w])
#endif
#if defined(BUG_NEWATEND) || defined(HEIR_KEEPS)
#define NEWCOMER_ACK submitter_logged
#else
#define NEWCOMER_ACK (submitter_logged && !listed)
#endif
#ifdef BUG_NOACK
#define ALL_ACKED true
#else
#define ALL_ACKED ((acked[0] || dead[0]) && (acked[1] || dead[1]))
#endif
#define WORKER_SLOT(w) \
  :: atomic { dead[w] && !logged[w] && !over -> logged[w] = true } \
  :: atomic { submitter_logged && logged[w] && !repaired[w] && HEIR_REPAIRED(w) -> repaired[w] = true } \
  :: atomic { dead[w] && SLOT_FREE(w) -> logged[w] = false; repaired[w] = false; acked[w] = NEWCOMER_ACK; dead[w] = false }

active proctype Sabird() {
#ifdef HEIR_KEEPS
  byte list;
#endif
#ifdef BUG_SUSPECT
  bool suspected;
#endif
#ifdef BUG_SABIRDREQUEUES
  byte i;
#endif
  do
  WORKER_SLOT(0)
  WORKER_SLOT(1)
  :: atomic { submitter_dead && !submitter_logged && CANCELLED_ALL -> KEEP(0); KEEP(1); submitter_logged = true }
#ifdef HEIR_KEEPS
  :: atomic { submitter_logged && !NOT_KEPT && reply ->
        list = reply; reply = 0;
        do :: list -> kept[list - 1] = false; list = cell[list - 1].next :: else -> break od }
#ifdef BUG_KEEPDONE
  :: atomic { kept[0] && cell[0].state == DONE -> kept[0] = false }
  :: atomic { kept[1] && cell[1].state == DONE -> kept[1] = false }
#endif
  :: atomic { kept[0] && CLAIMER_LOGGED(0) && cell[0].state != QUEUED -> kept[0] = false }
  :: atomic { kept[1] && CLAIMER_LOGGED(1) && cell[1].state != QUEUED -> kept[1] = false }
#endif
  HEIR(0)
  HEIR(1)
  :: atomic { submitter_logged && listed && cell[0].state != QUEUED && cell[1].state != QUEUED -> listed = false }
  :: atomic { submitter_logged && !listed && ALL_ACKED && NOT_KEPT && SETTLED(0) && SETTLED(1) -> given_out = true; over = true }
  :: over -> break
#ifdef BUG_SUSPECT
  :: atomic { !suspected && !dead[0] && !logged[0] -> suspected = true; logged[0] = true }
#endif
#ifdef BUG_SABIRDREQUEUES
  :: atomic { cell[0].state == CLAIMED && CLAIMER_LOGGED(0) && !submitter_dead ->
              cell[0].gen++; cell[0].claimer = 0; cell[0].state = QUEUED; attempts[cell[0].call]++; i = CLASS(cell[0].call) };
     atomic { slot_gen[SLOT(i, tail[i])] = cell[0].gen; slot_cell[SLOT(i, tail[i])] = 0 };
     tail[i]++
#endif
  od
}
