/*
 * borrow.pml: references between nodes: borrow, forward, release, deaths, over a network that loses, copies and reorders.
 *
 * Rules: N1-N9 (docs/protocol.md), which are O7 in full. Events have the same names here and in runtime/node/cluster.
 *
 * One object of node OWNER; two other nodes (-DMACHINES=4: three). Whoever reaches the object lends it, CARRIERS times in
 * all, to any other node, the owner too: a carrier is a call, or the answer to one, that brings the reference. Its receiver may
 * lend on, keep the reference or not, and finish at any time. DEATHS nodes die or fewer, each at any step. EXTRA times a borrower
 * registers although it is registered.
 *   -DREJOIN   node 1 comes back as incarnation 3; the network still brings what was sent to or by node 1
 *   -DZOMBIES  who was declared dead has not noticed and goes on for ever (as owner it frees nothing any more)
 *   -DCHAIN    node n lends to node n + 1 alone; nodes 1 and 2 may die
 *
 * Checked: the object is there for whoever reaches it and was not declared dead, also in a carrier that arrives; the count of a
 * release is never more than there is. When nothing moves any more: it is freed (unless the owner died), no carrier and no request
 * of a living node hangs, every death is settled.
 *
 * Assumed: sequential consistency; a step of a node is atomic. Register, Release and their answers are a set: reordered always,
 * lost LOSSES times, left in the network after delivery COPIES times. Carriers and their "done" come once, at any time, or
 * never if a side dies (the link keeps them by id, as N4 does); the log of deaths comes to each node in order, at any time.
 * The owner holds its own object by a flag (holds.pml), and so does a borrower (kept). An acknowledgement takes no time: it is
 * monotone, so a late one only delays what is settled. Ids of one borrower start again when nothing of it is open or in the
 * network: they matter only relative to each other.
 *
 * Where it was more exact than the rule once was (README.md):
 *   F1  The holds of a dead node go when its death is settled, not when it is known: what it lent is under way elsewhere.
 *   F2  So do the holds under what was lent *to* a dead node: it may have lent on.
 *   F3  Deaths are settled together: one that nobody living waits for may still have a borrower's borrower.
 *   F4  "Gone" is an answer about the object, not about who holds it: else it may come to who has the reference anew.
 *   F5  Another carrier that is not finished is no protection: its lender may live by what this node lent it.
 *
 * Mutations, each must be found:
 *   BUG_BYMACHINE      N1  the owner knows borrowers by machine, not by incarnation (-DREJOIN)
 *   BUG_ANYANSWER      N1  an incarnation takes the answers to the one before it (-DREJOIN)
 *   BUG_ANYOWNER       N1  the owner's next incarnation takes requests that name the one before it
 *   BUG_LENTSENT       N2  the lender's hold ends when the carrier is sent
 *   BUG_LENTKNOWN      N2  what was lent to a dead node ends when its death is known (F2)
 *   BUG_KEEPER         N3  who keeps the reference finishes without being registered
 *   BUG_FINISHFIRST    N3  finishes when the registration is sent, not when it is answered
 *   BUG_FORWARDER      N3  who has lent on finishes without being registered
 *   BUG_OTHERCARRIER   N3  finishes without being registered, since another carrier has brought it, too (F5)
 *   BUG_NORETRY        N4  a request is sent once
 *   BUG_NOREPEAT       N4  the owner does not answer a request again
 *   BUG_NOID           N4  the owner counts each copy of a Register
 *   BUG_NOIDRELEASE    N4  the owner counts each copy of a Release
 *   BUG_NOFLOOR        N4  the owner forgets ids without refusing them later
 *   BUG_ANSWERTWICE    N4  the borrower counts each copy of an answer
 *   BUG_SET            N5  a release takes back all registrations of its node: the two cross
 *   BUG_RELEASEONE     N5  a release takes back one registration of two (-DEXTRA=1)
 *   BUG_NAMEPENDING    N5  a release names a registration that is not answered yet (-DEXTRA=1)
 *   BUG_RELEASELENT    N5  releases what it has lent on
 *   BUG_ORPHAN         N5  releases while a carrier of a dead lender is not finished
 *   BUG_NOTLENT        N6  the owner refuses to register what it does not lend just now (F4)
 *   BUG_DEATHKNOWN     N7  a dead node's holds go when its death is known (F1)
 *   BUG_KEEPDEAD       N7  a dead node's holds stay
 *   BUG_HEARSDEAD      N7  the owner takes requests of nodes that it knows to be dead
 *   BUG_ACKKNOWN       N8  acknowledges a death when it is known
 *   BUG_ACKSENT        N8  acknowledges it when the registrations are sent, not when they are answered
 *   BUG_HEARSLENDER    N8  takes carriers of a node whose death it has acknowledged
 *   BUG_SETTLEDEACH    N8  a death is settled by itself (F3; -DCHAIN -DMACHINES=4 -DDEATHS=2)
 *   BUG_HANG           N9  waits for the answer of an owner that is dead
 */
#ifndef MACHINES
#define MACHINES 3
#endif
#ifndef CARRIERS
#define CARRIERS 3
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef LOSSES
#define LOSSES 0
#endif
#ifndef COPIES
#define COPIES 0
#endif
#ifndef EXTRA
#define EXTRA 0
#endif
#define OWNER 0
#ifdef REJOIN
#define NODES (MACHINES + 1)
#else
#define NODES MACHINES
#endif
#if NODES > 4 || CARRIERS < 2 || CARRIERS > 3
#error "at most four nodes; two or three carriers"
#endif
#define BIT(i) (1 << (i))
#define HAS(mask, i) ((mask) & BIT(i))

/* Of a carrier. SENT: under way; HERE: its receiver reaches the object; DONE: its "done" is under way. */
mtype = { UNUSED, SENT, HERE, DONE, OVER };

/* The network: requests by their sender and answers by their receiver, a bit for each id. */
byte requests[NODES], answers[NODES];
mtype carrier[CARRIERS]; byte lender[CARRIERS], receiver[CARRIERS], carriers;
/* The control store: deaths and what is settled are positions in its log; 0: alive. */
byte deaths, died[NODES], settled;
/* Each node: how much of the log it knows, whether it holds the object. */
byte known[NODES]; bool kept[NODES];
/* Borrowers: requests by id, registrations that were answered and not released. */
byte next[NODES], open[NODES], is_release[NODES], of_two[NODES], registered[NODES];
/* The owner, for each borrower. */
byte count[NODES], floor[NODES], done[NODES], refused[NODES];
bool freed;

byte to_die, losses = LOSSES, copies = COPIES, extra = EXTRA;
bool absent[NODES];                             /* has not joined yet */
bool strays;                                    /* BUG_ANYOWNER: an object of another owner has a holder that never releases */

#ifdef ZOMBIES
#define ACTS(n) !absent[n]
#else
#define ACTS(n) (died[n] == 0 && !absent[n])
#endif
#define LIVES(n) (died[n] == 0 && !absent[n])
#define KNOWS_DEAD(n, who) (died[who] != 0 && died[who] <= known[n])
#define SETTLED(who) (died[who] != 0 && died[who] <= settled)
#ifdef BUG_HANG
#define LOST(n) false
#else
#define LOST(n) KNOWS_DEAD(n, OWNER)
#endif

#if CARRIERS == 2
#define ANY(what, n) (what(0, n) || what(1, n))
#else
#define ANY(what, n) (what(0, n) || what(1, n) || what(2, n))
#endif
#define IS_HERE(k, n) (carrier[k] == HERE && receiver[k] == n)
#define IS_ORPHAN(k, n) (IS_HERE(k, n) && died[lender[k]] != 0)
#ifdef BUG_LENTSENT
#define IS_LENT(k, n) false
#else
#define IS_LENT(k, n) (lender[k] == n && (carrier[k] == SENT || carrier[k] == HERE || carrier[k] == DONE))
#endif
#define REACHES(n) (kept[n] || ANY(IS_HERE, n))
#define LENDS(n) ANY(IS_LENT, n)
#define PENDING(n) (open[n] & ~is_release[n])   /* a Register without an answer */

/* ------------------------------------------------------------------ network */
/* Ids are relative: once nothing of a borrower is open or under way, they start again. */
#define TIDY(n) \
  if \
  :: open[n] == 0 && requests[n] == 0 && answers[n] == 0 -> \
     next[n] = 0; floor[n] = 0; done[n] = 0; refused[n] = 0; is_release[n] = 0; of_two[n] = 0 \
  :: else \
  fi
#define TAKEN(from, i) if :: from = from & ~BIT(i) :: copies > 0 -> copies-- fi
#define SEND_NEW(n) \
  open[n] = open[n] | BIT(next[n]); \
  if :: died[OWNER] == 0 -> requests[n] = requests[n] | BIT(next[n]) :: else fi; \
  next[n]++; assert(next[n] <= 8)
#define ENDS(k) carrier[k] = OVER; lender[k] = 0; receiver[k] = 0

/* ------------------------------------------------------------------ carriers */
#define IS_REGISTERED(n) (n == OWNER || LOST(n) || registered[n] > 0)
#ifdef BUG_FINISHFIRST
#define MAY_KEEP(n) (IS_REGISTERED(n) || PENDING(n))
#elif defined(BUG_KEEPER)
#define MAY_KEEP(n) true
#elif defined(BUG_OTHERCARRIER)
#define MAY_KEEP(n) (IS_REGISTERED(n) || IS_HERE(0, n) + IS_HERE(1, n) + IS_HERE(CARRIERS - 1, n) >= 2)
#else
#define MAY_KEEP(n) IS_REGISTERED(n)
#endif
#ifdef BUG_FORWARDER
#define MAY_FINISH(n) (MAY_KEEP(n) || !kept[n])
#else
#define MAY_FINISH(n) (MAY_KEEP(n) || (!kept[n] && !LENDS(n)))
#endif
#define SAY_DONE(k) if :: died[lender[k]] != 0 -> ENDS(k) :: else -> carrier[k] = DONE fi
#ifdef BUG_HEARSLENDER
#define HEARS(n, who) true
#else
#define HEARS(n, who) (!KNOWS_DEAD(n, who))
#endif
#ifdef BUG_LENTKNOWN
#define LENT_ENDS(n, to) KNOWS_DEAD(n, to)
#else
#define LENT_ENDS(n, to) (KNOWS_DEAD(n, to) && SETTLED(to))
#endif

#define CARRIER_STEPS(k) \
  :: atomic { carrier[k] == SENT && receiver[k] == me && ACTS(me) ->                    /* arrive */ \
       if \
       :: HEARS(me, lender[k]) -> assert(!freed || !LIVES(me)); carrier[k] = HERE \
       :: else -> ENDS(k) \
       fi } \
  :: atomic { IS_HERE(k, me) && ACTS(me) && MAY_FINISH(me) -> SAY_DONE(k) }             /* finish, and keep nothing more */ \
  :: atomic { IS_HERE(k, me) && ACTS(me) && MAY_KEEP(me) && !kept[me] && !LOST(me) -> SAY_DONE(k); kept[me] = true } \
  :: atomic { carrier[k] == DONE && lender[k] == me && ACTS(me) && !KNOWS_DEAD(me, receiver[k]) -> ENDS(k) }   /* lent_done */ \
  :: atomic { IS_LENT(k, me) && ACTS(me) && LENT_ENDS(me, receiver[k]) -> ENDS(k) }     /* deaths_settled */

#ifdef CHAIN
#define MAY_LEND(n, to) (to == n + 1)
#else
#define MAY_LEND(n, to) (to != n)
#endif
#define LEND(to) \
  :: atomic { carriers < CARRIERS && MAY_LEND(me, to) && !absent[to] && REACHES(me) && !LOST(me) && !KNOWS_DEAD(me, to) && \
              ACTS(me) -> \
       lender[carriers] = me; receiver[carriers] = to; carrier[carriers] = SENT; carriers++ }

/* ------------------------------------------------------------------ requests of a borrower */
#ifdef BUG_NORETRY
#define RETRY false
#elif defined(BUG_NOREPEAT)
#define RETRY true -> retries++; retries < 4    /* else it retries for ever, and that is no end */
byte retries;
#else
#define RETRY true
#endif
#ifdef BUG_ANSWERTWICE
#define IS_OPEN(n, i) true
#else
#define IS_OPEN(n, i) HAS(open[n], i)
#endif
#ifdef BUG_ANYANSWER
#define ANSWERED(n, i) (HAS(answers[n], i) || (n == 3 && HAS(answers[1], i)))
#else
#define ANSWERED(n, i) HAS(answers[n], i)
#endif

#define REQUEST_STEPS(i) \
  :: atomic { HAS(open[me], i) && ACTS(me) && !HAS(requests[me], i) && !HAS(answers[me], i) && died[OWNER] == 0 && \
              !KNOWS_DEAD(OWNER, me) && RETRY -> requests[me] = requests[me] | BIT(i) }                /* tick */ \
  :: atomic { ANSWERED(me, i) && ACTS(me) ->                                            /* answer */ \
       TAKEN(answers[me], i); \
       if \
       :: IS_OPEN(me, i) -> \
          open[me] = open[me] & ~BIT(i); \
          if \
          :: HAS(is_release[me], i) \
          :: !HAS(is_release[me], i) && HAS(refused[me], i) -> assert(!LIVES(me) || !(REACHES(me) || LENDS(me))) \
          :: else -> registered[me]++ \
          fi \
       :: else \
       fi; \
       TIDY(me) }

#ifdef BUG_RELEASELENT
#define LETS_GO(n) (!REACHES(n))
#elif defined(BUG_ORPHAN)
#define LETS_GO(n) (!kept[n] && !LENDS(n))
#else
#define LETS_GO(n) (!REACHES(n) && !LENDS(n))
#endif
#ifdef BUG_ORPHAN
#define HAS_IDS (next[me] < 7)                  /* here it may register and release for ever */
#else
#define HAS_IDS true
#endif
#ifdef BUG_NAMEPENDING
#define NAMED(n) (registered[n] + (PENDING(n) -> 1 : 0))
#elif defined(BUG_RELEASEONE)
#define NAMED(n) 1
#else
#define NAMED(n) registered[n]
#endif

proctype Node(byte me) {
end_idle:
  do
  LEND(0)
  LEND(1)
  LEND(2)
#if NODES > 3
  LEND(3)
#endif
  CARRIER_STEPS(0)
  CARRIER_STEPS(1)
#if CARRIERS > 2
  CARRIER_STEPS(2)
#endif
  :: atomic { kept[me] && ACTS(me) -> kept[me] = false }                                /* unhold */
  :: atomic { me != OWNER && ACTS(me) && !LOST(me) && !PENDING(me) && (REACHES(me) || LENDS(me)) &&
              (registered[me] == 0 || (registered[me] == 1 && extra > 0)) && HAS_IDS ->         /* register */
       extra = (registered[me] == 1 -> extra - 1 : extra);
       SEND_NEW(me) }
  :: atomic { registered[me] > 0 && ACTS(me) && LETS_GO(me) ->                          /* release */
       is_release[me] = is_release[me] | BIT(next[me]);
       if :: NAMED(me) == 2 -> of_two[me] = of_two[me] | BIT(next[me]) :: else fi;
       registered[me] = 0;
       SEND_NEW(me) }
  REQUEST_STEPS(0)
  REQUEST_STEPS(1)
  REQUEST_STEPS(2)
  REQUEST_STEPS(3)
  REQUEST_STEPS(4)
  REQUEST_STEPS(5)
  REQUEST_STEPS(6)
  REQUEST_STEPS(7)
  :: atomic { known[me] < deaths && ACTS(me) ->                                         /* node_died */
       known[me]++;
       if
       :: died[OWNER] == known[me] && LOST(me) -> open[me] = 0; registered[me] = 0; answers[me] = 0; kept[me] = false
       :: else
       fi }
  od
}

/* -------------------------------------------------------------------- owner */
#define LOWEST_OPEN(n) \
  (HAS(open[n], 0) -> 0 : (HAS(open[n], 1) -> 1 : (HAS(open[n], 2) -> 2 : (HAS(open[n], 3) -> 3 : \
  (HAS(open[n], 4) -> 4 : (HAS(open[n], 5) -> 5 : (HAS(open[n], 6) -> 6 : (HAS(open[n], 7) -> 7 : next[n]))))))))
#define NAMES(n, i) (HAS(of_two[n], i) -> 2 : 1)
#ifdef BUG_BYMACHINE
#define KEY(n) (n == 3 -> 1 : n)
#else
#define KEY(n) n
#endif
#ifdef BUG_HEARSDEAD
#define OWNER_HEARS(n) true
#else
#define OWNER_HEARS(n) (!KNOWS_DEAD(OWNER, n))
#endif
#ifdef BUG_NOFLOOR
#define IS_PAST(n, i) false
#else
#define IS_PAST(n, i) (i < floor[n])
#endif
#ifdef BUG_NOID
#define IS_DONE(n, i) (HAS(done[n], i) && HAS(is_release[n], i))
#elif defined(BUG_NOIDRELEASE)
#define IS_DONE(n, i) (HAS(done[n], i) && !HAS(is_release[n], i))
#else
#define IS_DONE(n, i) HAS(done[n], i)
#endif
#ifdef BUG_NOREPEAT
#define REPEAT(n, i) skip
#else
#define REPEAT(n, i) answers[n] = answers[n] | BIT(i)
#endif
#ifdef BUG_NOTLENT
#define IS_THERE (LENDS(OWNER) || count[1] > 0 || count[2] > 0)
#else
#define IS_THERE (!freed)
#endif
#ifdef BUG_SET
#define TAKE_BACK(n, i) count[KEY(n)] = 0
#else
#define TAKE_BACK(n, i) assert(count[KEY(n)] >= NAMES(n, i)); count[KEY(n)] = count[KEY(n)] - NAMES(n, i)
#endif
#ifdef BUG_DEATHKNOWN
#define COUNT_ENDS(n) KNOWS_DEAD(OWNER, n)
#elif defined(BUG_KEEPDEAD)
#define COUNT_ENDS(n) false
#else
#define COUNT_ENDS(n) (KNOWS_DEAD(OWNER, n) && SETTLED(n))
#endif

/* A request carries the lowest open id of when it was sent; a retried one that of then. */
#define REQUEST(n, i) \
  :: atomic { HAS(requests[n], i) && ACTS(OWNER) -> \
       TAKEN(requests[n], i); \
       if \
       :: OWNER_HEARS(n) -> \
          if :: floor[n] = LOWEST_OPEN(n); done[n] = done[n] & ~(BIT(floor[n]) - 1) :: true fi; \
          if \
          :: IS_PAST(n, i) \
          :: !IS_PAST(n, i) && IS_DONE(n, i) -> REPEAT(n, i) \
          :: else -> \
             done[n] = done[n] | BIT(i); answers[n] = answers[n] | BIT(i); \
             if \
             :: HAS(is_release[n], i) -> TAKE_BACK(n, i) \
             :: !HAS(is_release[n], i) && IS_THERE -> count[KEY(n)]++ \
             :: else -> refused[n] = refused[n] | BIT(i) \
             fi \
          fi \
       :: else \
       fi; \
       TIDY(n) } \
  STRAY(n, i)
#ifdef BUG_ANYOWNER
#define STRAY(n, i) \
  :: atomic { HAS(requests[n], i) && died[OWNER] != 0 && !HAS(is_release[n], i) -> requests[n] = requests[n] & ~BIT(i); strays = true }
#else
#define STRAY(n, i)
#endif
#define REQUESTS(n) \
  REQUEST(n, 0) REQUEST(n, 1) REQUEST(n, 2) REQUEST(n, 3) REQUEST(n, 4) REQUEST(n, 5) REQUEST(n, 6) REQUEST(n, 7) \
  :: atomic { count[n] > 0 && ACTS(OWNER) && COUNT_ENDS(n) -> count[n] = 0 }           /* deaths_settled */
#define READABLE(n) assert(!LIVES(n) || !REACHES(n))

proctype Owner() {
end_idle:
  do
  REQUESTS(1)
  REQUESTS(2)
#if NODES > 3
  REQUESTS(3)
  :: atomic { !freed && LIVES(OWNER) && !REACHES(OWNER) && !LENDS(OWNER) && count[1] + count[2] + count[3] == 0 ->
       freed = true; READABLE(1); READABLE(2); READABLE(3) }
#else
  :: atomic { !freed && LIVES(OWNER) && !REACHES(OWNER) && !LENDS(OWNER) && count[1] + count[2] == 0 ->
       freed = true; READABLE(1); READABLE(2) }
#endif
  od
}

/* ------------------------------------------------------------------ deaths, losses, the control store */
#ifdef BUG_ACKKNOWN
#define NOTHING_FROM_DEAD(n) true
#elif defined(BUG_ACKSENT)
#define NOTHING_FROM_DEAD(n) (IS_REGISTERED(n) || PENDING(n) || !ANY(IS_ORPHAN, n))
#else
#define NOTHING_FROM_DEAD(n) (IS_REGISTERED(n) || !ANY(IS_ORPHAN, n))
#endif
#define ACKNOWLEDGES(n) (!LIVES(n) || (known[n] == deaths && NOTHING_FROM_DEAD(n)))

/* The dead stop; what only they would have read, or taken, is as good as gone. */
#define BURY_CARRIER(k) if :: died[lender[k]] != 0 && (carrier[k] == DONE || died[receiver[k]] != 0) -> ENDS(k) :: else fi
#ifdef ZOMBIES
#define BURY(n) skip
#else
#define BURY(n) \
  BURY_CARRIER(0); BURY_CARRIER(1); BURY_CARRIER(CARRIERS - 1); \
  open[n] = 0; registered[n] = 0; kept[n] = false; known[n] = 0; BURY_ANSWERS(n); \
  if :: n == OWNER -> BURY_REQUESTS; count[1] = 0; count[2] = 0; floor[1] = 0; floor[2] = 0; done[1] = 0; done[2] = 0 :: else fi
#endif
#ifdef BUG_ANYANSWER
#define BURY_ANSWERS(n) skip
#else
#define BURY_ANSWERS(n) answers[n] = 0
#endif
#ifdef BUG_ANYOWNER
#define BURY_REQUESTS skip
#else
#define BURY_REQUESTS requests[1] = 0; requests[2] = 0
#endif
#define DIE(n) :: atomic { to_die > 0 && LIVES(n) -> to_die--; deaths++; died[n] = deaths; BURY(n) }
#define LOSE(n) \
  :: atomic { losses > 0 && requests[n] != 0 -> losses--; requests[n] = 0; TIDY(n) } \
  :: atomic { losses > 0 && answers[n] != 0 -> losses--; answers[n] = 0; TIDY(n) }

#ifdef BUG_SETTLEDEACH
#define ALL_ACKNOWLEDGE \
  ((!LIVES(0) || KNOWS_DEAD_FIRST(0)) && (!LIVES(1) || KNOWS_DEAD_FIRST(1)) && (!LIVES(2) || KNOWS_DEAD_FIRST(2)) && \
   (!LIVES(3) || KNOWS_DEAD_FIRST(3)))
#define KNOWS_DEAD_FIRST(n) (known[n] > settled && (IS_REGISTERED(n) || !ANY(IS_NEXT_ORPHAN, n)))
#define IS_NEXT_ORPHAN(k, n) (IS_HERE(k, n) && died[lender[k]] == settled + 1)
#define SETTLE settled = settled + 1
#else
#if NODES > 3
#define ALL_ACKNOWLEDGE (ACKNOWLEDGES(0) && ACKNOWLEDGES(1) && ACKNOWLEDGES(2) && ACKNOWLEDGES(3))
#else
#define ALL_ACKNOWLEDGE (ACKNOWLEDGES(0) && ACKNOWLEDGES(1) && ACKNOWLEDGES(2))
#endif
#define SETTLE settled = deaths
#endif

init {
  /* How many die is decided first: else a death still to come would hide what hangs. */
  atomic {
    do :: to_die < DEATHS -> to_die++ :: break od;
    carrier[0] = UNUSED; carrier[1] = UNUSED; carrier[CARRIERS - 1] = UNUSED;
    kept[OWNER] = true;
#ifdef REJOIN
    absent[3] = true;
#endif
    run Owner(); run Monitor(); run Node(0); run Node(1); run Node(2);
#if NODES > 3
    run Node(3)
#endif
  };
end_idle:
  do
  DIE(1)
  DIE(2)
  LOSE(1)
  LOSE(2)
#ifndef CHAIN
  DIE(0)
#if NODES > 3
  DIE(3)
  LOSE(3)
#endif
#endif
#ifdef REJOIN
  :: atomic { absent[3] && died[1] != 0 -> absent[3] = false; known[3] = deaths }
#endif
  :: atomic { settled < deaths && ALL_ACKNOWLEDGE -> SETTLE }
  od
}

#define ENDED(k) (carrier[k] == UNUSED || carrier[k] == OVER || !LIVES(lender[k])) && (carrier[k] != HERE || !LIVES(receiver[k]))
proctype Monitor() {
end_watch:
  timeout ->
  assert(freed || !LIVES(OWNER));
  assert(ENDED(0)); assert(ENDED(1)); assert(ENDED(CARRIERS - 1));
  assert(!LIVES(1) || open[1] == 0); assert(!LIVES(2) || open[2] == 0);
  assert(settled == deaths);
  assert(!strays)
}
