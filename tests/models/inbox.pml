/*
 * inbox.pml: an actor's inbox and the reply stacks of its callers.
 *
 * Rules: Q5 (stacks: link, then one compare-and-swap; take all), Q6 (a cell leaves an inbox by its owner alone and comes back
 * through the reply stack; CLOSED is never walked), Q7 (a sender's order), Q2 (states), D2-D5 (close, log, acknowledge,
 * reuse of the slot and of the memory, heir), R1.
 *
 * One actor and two senders. Sender 0 has one cell and calls 1, 2 (with -DSHORT call 1 alone); sender 1 has two cells and calls
 * 3, 4. The actor dies at any step, ACTOR_DEATHS times in all; its next incarnation gets the *same slot and inbox word*.
 * Sender 0 dies at any step if SENDER_DEATHS is 1. CANCELS calls are cancelled while they are queued.
 *
 * Checked:
 *   - each call of a living sender ends exactly once (result, error or cancel); it runs at most once per attempt, and never
 *     again once it is DONE;
 *   - a sender's call starts only when all its earlier ones have finished or ended;
 *   - a call pushed to one incarnation never runs in another;
 *   - the lists stay whole: the owner meets only QUEUED and CANCELLED cells, and no cell is lost (invalid end state);
 *   - the actor touches no cell of a dead sender once it was given out again.
 *
 * Assumed: sequential consistency; whoever waits is woken (doorbell.pml); links are well-formed (bad ones are the scribbler's
 * test); the generation in a cell's word, which queue.pml checks, is left out. Arguments are ready (order.pml has the rest).
 *
 * Where it was more exact than the rules once were (README.md):
 *   B1  What R1 finds QUEUED at a dead actor goes QUEUED -> FREE by the submitter; its call returns to its place in the list.
 *   B2  sabird takes a dead incarnation out of the directory before the log entry. Else a sender acknowledges, then loads the
 *       directory, and pushes into the inbox of the slot's next owner.
 *   B3  A push that meets CLOSED counts as pushed: by B2 this sender's R1 is still to come and finds the call QUEUED. -DKEEP_BACK
 *       holds, too: the call stays in the sender's list, until the directory shows another incarnation.
 *
 * Mutations, each must be found:
 *   BUG_EXCHANGELINK  Q5  push: exchange the head, then link (the owner waits for a missing link)
 *   BUG_NOREVERSE     Q5  the owner runs a batch newest first
 *   BUG_NEXTLATE      Q6  `next` is read after the cell was given back
 *   BUG_CANCELFREE    Q6  a cancelled cell is free at once, although it still hangs in the inbox
 *   BUG_WALKCLOSED    Q6  the next incarnation takes over the list that the dead one left
 *   BUG_CLOSEDLAST    Q7  a call that met CLOSED goes to the end of the sender's list
 *   BUG_NODRAIN       R1  no drain before the scan
 *   BUG_SCANFIRST     R1  the scan before the drain
 *   BUG_RETRYDONE     R1  a DONE cell whose push was lost counts as one that may have run
 *   BUG_LOGFIRST      D2  the death is published before the inbox is closed
 *   BUG_STALELISTED   B2  the directory shows the dead incarnation until the next one takes its place
 *   BUG_REOPEN        D4  the slot's inbox is opened again before all have acknowledged
 *   BUG_EARLYACK      D3  the actor acknowledges without a drain since it knew
 *   BUG_ACKBATCH      D3  the actor acknowledges after the exchange, with the batch still in hand
 *   BUG_NOACK         D4  the dead sender's cells are given out without the actor's acknowledgement
 */
#ifndef ACTOR_DEATHS
#define ACTOR_DEATHS 1
#endif
#ifndef SENDER_DEATHS
#define SENDER_DEATHS 1
#endif
#ifndef CANCELS
#define CANCELS 0
#endif
#ifdef BUG_CLOSEDLAST
#define KEEP_BACK
#endif
#define CELLS 3
#define CALLS 4
#define CLOSED 9
#define UNLINKED 8                      /* BUG_EXCHANGELINK alone */
#define FIRST_CALL(s) (1 + 2*(s))
#define OWNER(i) ((i) > 0)              /* cell 0: sender 0; cells 1, 2: sender 1 */

mtype = { FREE, QUEUED, CLAIMED, CANCELLED, DONE };
typedef Cell { mtype state; byte call; byte result; byte next; byte target }

/* Shared memory. */
Cell cell[CELLS];
byte inbox, reply[2];                   /* heads: cell + 1, or 0, or CLOSED */
bool actor_logged, sender_logged;       /* death log */
byte listed = 1;                        /* directory: the incarnation that it shows */
bool repaired[2], acked;                /* acknowledgements: of the actor's death by each sender, of sender 0's by the actor */

/* The world, seen by the kernel and by the assertions alone. */
byte incarnation = 1;
bool actor_dead, sender_dead, given_out, ended_all[2];
byte actor_deaths, sender_deaths, cancels = CANCELS;
byte attempts[CALLS+1], ran[CALLS+1]; bool finished[CALLS+1], ended[CALLS+1];
bool waiting[CALLS+1];                  /* private lists of the senders */

#define OVER (ended_all[1] && (ended_all[0] || given_out))
#define TOUCH(i) assert(!((i) == 0 && given_out))
#define ENDS(c) assert(!ended[c]); ended[c] = true
#define EARLIER(c) (2*(((c)+1)/2) - 1)  /* 1 for 1 and 2; 3 for 3 and 4 */

/* ------------------------------------------------------------------- actor */
#define DIES :: atomic { actor_deaths > 0 -> actor_deaths--; actor_dead = true; goto died }
#define STEP(x) if DIES :: atomic { true -> x } fi
#define START(c) ran[c]++; assert(ran[c] <= attempts[c]); assert(!finished[c]); assert(cell[i].target == incarnation); \
                 assert(EARLIER(c) == c || finished[EARLIER(c)] || ended[EARLIER(c)])
#ifdef BUG_NOREVERSE
#define TAKE_FROM_BATCH i = batch[at]; at++
#define BATCH_LEFT (at < count)
#else
#define TAKE_FROM_BATCH count--; i = batch[count]
#define BATCH_LEFT (count > 0)
#endif

active proctype Actor() {
  byte batch[CELLS], count, at, i, top; bool noticed, claimed;
  atomic { i = 0; do :: i < CELLS -> cell[i].state = FREE; i++ :: else -> break od;
           i = 1; do :: i <= CALLS -> waiting[i] = true; i++ :: else -> i = 0; break od;
#ifdef SHORT
           waiting[2] = false; ended[2] = true;
#endif
           /* how many die is decided first: else a death still to come would hide an invalid end state */
           do :: actor_deaths < ACTOR_DEATHS -> actor_deaths++ :: break od;
           do :: sender_deaths < SENDER_DEATHS -> sender_deaths++ :: break od;
           run Sender(0); run Sender(1) };
idle:
  atomic { count = 0; at = 0; i = 0; top = 0; claimed = false };
  if
  DIES
  :: inbox != 0
  :: atomic { sender_logged && !acked && !noticed -> noticed = true
#ifdef BUG_EARLYACK
              ; acked = true
#endif
     }
  :: atomic { OVER -> goto left }
  fi;
  STEP(top = inbox; inbox = 0);                                         /* all, by one exchange */
#ifdef BUG_ACKBATCH
  STEP(if :: noticed -> acked = true :: else fi);
#endif
batch_loop:
#ifdef BUG_NEXTLATE
  if :: top != 0 -> STEP(batch[0] = top - 1; count = 1; top = 0) :: else fi;
#else
  do                                                                    /* first copy, then give back */
  :: top != 0 ->
#ifdef BUG_EXCHANGELINK
     if DIES :: cell[top-1].next != UNLINKED fi;
#endif
     STEP(i = top - 1; TOUCH(i); assert(count < CELLS); batch[count] = i; count++; top = cell[i].next; i = 0)
  :: else -> break
  od;
#endif
  do
  :: BATCH_LEFT ->
     STEP(TAKE_FROM_BATCH; TOUCH(i);
          if
          :: cell[i].state == QUEUED -> cell[i].state = CLAIMED; claimed = true; START(cell[i].call)
          :: cell[i].state == CANCELLED -> claimed = false
          :: else -> assert(false)
          fi);
     STEP(TOUCH(i); if :: claimed -> cell[i].result = cell[i].call; finished[cell[i].call] = true :: else fi;
          cell[i].state = DONE; claimed = false);
     do                                                                 /* back through the submitter's reply stack */
     :: STEP(TOUCH(i); top = reply[OWNER(i)]);
        STEP(TOUCH(i); cell[i].next = top);
        if
        DIES
        :: atomic { reply[OWNER(i)] == top -> TOUCH(i); reply[OWNER(i)] = i + 1; top = 0; break }
        :: atomic { reply[OWNER(i)] != top -> TOUCH(i) }
        fi
     od;
#ifdef BUG_NEXTLATE
     STEP(TOUCH(i); top = cell[i].next; count = 0);
     goto batch_loop;
#endif
     i = 0
  :: else -> break
  od;
  if :: noticed && !acked -> STEP(acked = true) :: else fi;             /* drained once since it knew */
  goto idle;

died:                                   /* the slot's next owner begins here */
  atomic { count = 0; at = 0; i = 0; top = 0; claimed = false; noticed = false;
           batch[0] = 0; batch[1] = 0; batch[2] = 0 };
  if :: atomic { !actor_dead -> goto idle } :: OVER fi;
left:
  skip
}

/* ----------------------------------------------------------------- senders */
#define SDIES :: atomic { me == 0 && sender_deaths > 0 -> sender_deaths--; sender_dead = true; goto sdied }
#define SSTEP(x) if SDIES :: atomic { true -> x } fi
#define CLEAR(i) cell[i].state = FREE; cell[i].call = 0; cell[i].result = 0; cell[i].next = 0; cell[i].target = 0
#define CONSUME(i) assert(cell[i].state == DONE); \
  if :: cancelled[i] -> cancelled[i] = false; assert(cell[i].result == 0) \
     :: else -> assert(cell[i].result == cell[i].call); ENDS(cell[i].call) fi; \
  CLEAR(i)
#define MAY_HAVE_RUN(i) \
  if :: waiting[cell[i].call] = true \
     :: ENDS(cell[i].call) fi; \
  CLEAR(i)
#define MINE(i) (OWNER(i) == me)
#define MY_FREE_CELL (me == 0 && cell[0].state == FREE || me == 1 && (cell[1].state == FREE || cell[2].state == FREE))
#define CAN_PUSH (MY_FREE_CELL && listed && listed != closed_at && !(actor_logged && !repaired[me]))
#define MY_CELLS_FREE (me == 0 && cell[0].state == FREE || me == 1 && cell[1].state == FREE && cell[2].state == FREE)

inline drain() {
  SSTEP(list = reply[me]; reply[me] = 0);
  do
  :: list != 0 -> SSTEP(i = list - 1; list = cell[i].next; CONSUME(i); i = 0)
  :: else -> break
  od
}
inline scan() {
  do
  :: i < CELLS ->
     SSTEP(if
           :: MINE(i) && cell[i].state == DONE ->
#ifdef BUG_RETRYDONE
              MAY_HAVE_RUN(i)
#else
              CONSUME(i)
#endif
           :: MINE(i) && cell[i].state == CLAIMED -> MAY_HAVE_RUN(i)
           :: MINE(i) && cell[i].state == QUEUED -> waiting[cell[i].call] = true; attempts[cell[i].call]--; CLEAR(i)
           :: MINE(i) && cell[i].state == CANCELLED -> cancelled[i] = false; CLEAR(i)
           :: else
           fi; i++)
  :: else -> i = 0; break
  od
}

proctype Sender(byte me) {
  byte i, call, list, top, closed_at; bool cancelled[CELLS];
#ifdef BUG_CLOSEDLAST
  bool last[CALLS+1];
#endif
ready:
  if
  SDIES
#ifdef BUG_CLOSEDLAST
  :: atomic { CAN_PUSH && waiting[FIRST_CALL(me)] && !last[FIRST_CALL(me)] -> call = FIRST_CALL(me); goto submit }
  :: atomic { CAN_PUSH && waiting[FIRST_CALL(me)] && !waiting[FIRST_CALL(me) + 1] -> call = FIRST_CALL(me); goto submit }
  :: atomic { CAN_PUSH && (!waiting[FIRST_CALL(me)] || last[FIRST_CALL(me)]) && waiting[FIRST_CALL(me) + 1] ->
              call = FIRST_CALL(me) + 1; goto submit }
#else
  :: atomic { CAN_PUSH && waiting[FIRST_CALL(me)] -> call = FIRST_CALL(me); goto submit }
  :: atomic { CAN_PUSH && !waiting[FIRST_CALL(me)] && waiting[FIRST_CALL(me) + 1] ->
              call = FIRST_CALL(me) + 1; goto submit }
#endif
  :: atomic { cancels > 0 && cell[0 + me].state == QUEUED -> cancels--; i = 0 + me; goto cancel }
  :: atomic { cancels > 0 && me == 1 && cell[2].state == QUEUED -> cancels--; i = 2; goto cancel }
  :: reply[me] != 0 -> drain(); goto ready
  :: actor_logged && !repaired[me] -> goto repair
  :: atomic { MY_CELLS_FREE && ended[FIRST_CALL(me)] && ended[FIRST_CALL(me) + 1] -> ended_all[me] = true; goto sdied }
  fi;

submit:
  atomic { i = me; do :: cell[i].state != FREE -> i++ :: else -> break od; waiting[call] = false };
  /* directory, then log, then push (Q7) */
  SSTEP(attempts[call]++; cell[i].call = call; cell[i].target = listed);
  SSTEP(if :: actor_logged && !repaired[me] -> top = CLOSED :: else -> cell[i].state = QUEUED fi);
  if :: top == CLOSED -> goto put_back :: else fi;
#ifdef BUG_EXCHANGELINK
  SSTEP(cell[i].next = UNLINKED);
  SSTEP(if :: inbox != CLOSED -> top = inbox; inbox = i + 1 :: else -> top = CLOSED fi);
  if :: top != CLOSED -> SSTEP(cell[i].next = top) :: else fi;
  top = 0;
#else
  do
  :: SSTEP(top = inbox);
#ifdef KEEP_BACK
     if :: top == CLOSED -> goto not_pushed :: else fi;
#else
     if :: top == CLOSED -> top = 0; break :: else fi;         /* counts as pushed: R1 is still to come */
#endif
     SSTEP(cell[i].next = top);
     if
     SDIES
     :: atomic { inbox == top -> inbox = i + 1; top = 0; break }
     :: atomic { inbox != top -> skip }
     fi
  od;
#endif
  atomic { call = 0; i = 0; goto ready };
not_pushed:                             /* KEEP_BACK: nothing more for this incarnation */
  closed_at = cell[i].target;
put_back:                               /* the call stays where it was in the sender's list */
  SSTEP(waiting[call] = true; attempts[call]--; CLEAR(i));
#ifdef BUG_CLOSEDLAST
  last[call] = true;
#endif
  atomic { call = 0; i = 0; top = 0; goto ready };

cancel:                                 /* the owner may have been quicker */
  SSTEP(if
        :: cell[i].state == QUEUED ->
           cell[i].state = CANCELLED; ENDS(cell[i].call);
#ifdef BUG_CANCELFREE
           CLEAR(i)
#else
           cancelled[i] = true
#endif
        :: else
        fi; i = 0);
  goto ready;

repair:                                 /* R1 for the actor's death */
#if defined(BUG_NODRAIN)
  scan();
#elif defined(BUG_SCANFIRST)
  scan(); drain();
#else
  drain(); scan();
#endif
  SSTEP(repaired[me] = true);
  goto ready;
sdied:
  atomic { list = 0; i = 0; call = 0; top = 0; closed_at = 0; cancelled[0] = false }
}

/* ------------------------------------------------------------------ sabird */
bool closed, taken;                     /* private; taken: the heir knows how the call in cell 0 ended */
#define SETTLED (cell[0].state == FREE || cell[0].state == CANCELLED || taken)
#ifdef BUG_REOPEN
#define MAY_REOPEN true
#else
#define MAY_REOPEN ((repaired[0] || ended_all[0] || (sender_logged && SETTLED)) && (repaired[1] || ended_all[1]))
#endif
#ifdef BUG_NOACK
#define ACTOR_ACKED true
#else
#define ACTOR_ACKED (acked || actor_logged)
#endif

active proctype Sabird() {
  byte left_list;
  do
  /* the actor's death: close, take out of the directory, log, and only when all have acknowledged the next incarnation */
#ifdef BUG_LOGFIRST
  :: actor_dead && !closed && !OVER -> actor_logged = true; listed = 0;
     atomic { left_list = inbox; inbox = CLOSED; closed = true }
#else
  :: actor_dead && !closed && !OVER ->
     atomic { left_list = inbox; inbox = CLOSED };
#ifndef BUG_STALELISTED
     listed = 0;
#endif
     atomic { actor_logged = true; closed = true }
#endif
  :: atomic { closed && MAY_REOPEN ->
        closed = false; actor_logged = false; repaired[0] = false; repaired[1] = false; incarnation++; listed = incarnation;
        acked = sender_logged;          /* a new process starts at the log's end */
#ifdef BUG_WALKCLOSED
        inbox = left_list;
#else
        inbox = 0;
#endif
        left_list = 0; actor_dead = false }
  /* sender 0's death, heir */
  :: atomic { sender_dead && !sender_logged -> sender_logged = true }
  :: atomic { sender_logged && !given_out && cell[0].state == QUEUED && !taken -> cell[0].state = CANCELLED;
              if :: !ended[cell[0].call] -> ENDS(cell[0].call) :: else -> assert(false) fi }
  :: atomic { sender_logged && !given_out && cell[0].state == DONE && !taken ->
              if :: !ended[cell[0].call] -> ENDS(cell[0].call) :: else fi; taken = true }
  :: atomic { sender_logged && !given_out && cell[0].state == CLAIMED && actor_logged && !taken ->
              ENDS(cell[0].call); taken = true }
  :: atomic { sender_logged && !given_out && ACTOR_ACKED && SETTLED -> given_out = true }
  :: OVER -> break
  od
}
