/*
 * fence.pml: a node that is cut off stops claiming before its actors live elsewhere.
 *
 * Rules: L6 (docs/protocol.md): the control store renews the node's valid_until; a claim counts if valid_until stands after it.
 *
 * Node A hosts an actor; its worker claims calls and runs them. sabird of A asks the control store to renew; requests and answers
 * are lost, late and reordered. sabird may stop for ever (it just asks no more), the worker may stop between any two steps, also
 * for long. The control store restarts RESTARTS times and then knows who is dead, but not when who was renewed. When it has
 * declared A dead the actor starts elsewhere, at any later moment.
 *
 * Checked: no call that runs on A was claimed when the actor lived elsewhere; a node that was declared dead is never valid again.
 *
 * Assumed: the clocks of a node and of the control store drift apart by less than one tick within a lease and its margin; the
 * node's clock goes on while its machine sleeps (boot time). Time ends after LAST ticks: a few leases. What a worker does between
 * a claim that counts and its result is not stopped; who gets that result late drops it by the incarnation (N1).
 *
 * Where it was more exact than the rule once was (README.md):
 *   G1  The look at valid_until comes after the claim: a worker that stops between look and claim claims when it wakes.
 *   G2  A control store that restarts counts every node as renewed just now.
 *
 * Mutations, each must be found:
 *   BUG_NOLOOK      the worker does not look at valid_until
 *   BUG_LOOKFIRST   it looks before it claims, and not after (G1)
 *   BUG_FROMANSWER  the node counts the lease from the answer, not from the request
 *   BUG_NOMARGIN    the control store waits for the lease alone
 *   BUG_MONOTONIC   the node's clock stands still while its machine sleeps
 *   BUG_RESTARTED   after a restart the control store takes everybody for never renewed (G2)
 *   BUG_RENEWSDEAD  the control store renews who was declared dead
 */
#ifndef LEASE
#define LEASE 2
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#define LAST (2*LEASE + 4)
#ifdef BUG_NOMARGIN
#define MARGIN 0
#else
#define MARGIN 1
#endif

byte now, lag;                          /* time of the control store; how far A's clock is behind it, 0 or 1 */
byte valid_until = LEASE;               /* of A, in the `node` segment, by A's clock */
byte renewed;                           /* when the control store last renewed A, by its clock */
bool declared_dead, elsewhere;          /* A is in the log of deaths; the actor's next incarnation has started */
chan requests = [2] of { byte };        /* when it was sent, by A's clock */
chan answers = [2] of { byte };

#define A_CLOCK (now - lag)
#define STANDS(until) (A_CLOCK < (until))

active proctype Time() {
  byte restarts = RESTARTS;
end_time:
  do
  :: atomic { now < LAST -> now++ }
#ifdef BUG_MONOTONIC
  :: atomic { now < LAST -> now++; lag++ }
#else
  :: atomic { now < LAST && lag == 0 -> now++; lag = 1 }        /* A's clock stood still */
#endif
  :: atomic { lag == 1 -> lag = 0 }                             /* A's clock leapt */
  :: atomic { restarts > 0 -> restarts--;
#ifdef BUG_RESTARTED
              renewed = 0
#else
              renewed = now
#endif
            }
  od
}

active proctype ControlStore() {
  byte sent;
end_control:
  do
  :: atomic { requests ?? sent ->
#ifndef BUG_RENEWSDEAD
       if :: declared_dead -> sent = 0; goto end_control :: else fi;
#endif
       renewed = now;
       if :: nfull(answers) -> answers ! sent :: true fi;       /* or the answer is lost */
       sent = 0 }
  :: atomic { requests ?? sent -> sent = 0 }                    /* a request is lost */
  :: atomic { !declared_dead && now >= renewed + LEASE + MARGIN -> declared_dead = true; assert(!STANDS(valid_until)) }
  :: atomic { declared_dead && !elsewhere -> elsewhere = true }
  od
}

active proctype SabirdOfA() {
  byte sent;
end_sabird:
  do
  :: atomic { nfull(requests) && now < LAST -> requests ! A_CLOCK }
  :: atomic { answers ?? sent ->
#ifdef BUG_FROMANSWER
       sent = A_CLOCK;
#endif
       if :: sent + LEASE > valid_until -> valid_until = sent + LEASE :: else fi;
       assert(!declared_dead || !STANDS(valid_until));
       sent = 0 }
  od
}

active proctype WorkerOfA() {
  bool late;                            /* claimed when the actor lived elsewhere */
end_worker:
  do
  :: true ->
#ifdef BUG_LOOKFIRST
     if :: STANDS(valid_until) :: else -> goto end_worker fi;
#endif
     late = elsewhere;                  /* claim: a compare-and-swap of the cell's word */
#if !defined(BUG_NOLOOK) && !defined(BUG_LOOKFIRST)
     if
     :: STANDS(valid_until)
     :: else -> goto end_worker         /* it does not run: waits until the node is valid again, or is killed */
     fi;
#endif
     assert(!late)                      /* runs */
  od
}
