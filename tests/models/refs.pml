/*
 * refs.pml: references in arguments and in results, with deaths.
 *
 * Rules: H2 (own hold for arguments; HOLD for the cell before DONE; own HOLD, then DROP-CELL), H1 (rounds, deaths like removes), D5
 * (holds of the dead stay until none of its cells is QUEUED or CLAIMED by a living process; the heir drops the holds of its
 * cells, of every generation), D3.
 *
 * Outer calls Middle (cell 0, Outer's), Middle may call Inner (cell 1, Middle's). One object. Default: Outer holds it and
 * passes it down as an argument; it may also come back up. -DRESULT: Inner creates it and it comes up inside results. Middle
 * finishes before or after Inner does. DEATHS of the three die, each at any step.
 *
 * Checked: whoever may read the object finds it; when all is quiet it is freed (no leak).
 *
 * Assumed: sequential consistency; a queue is one step (queue.pml); a call whose claimer died ends with an error.
 *
 * Mutations, each must be found:
 *   BUG_BORROW      H2  Middle passes on what it only borrows, under Outer's hold
 *   BUG_REMOVENOW   H1  a remove counts when it is read
 *   BUG_DEATHNOW    H1  a death's removes count in the same round
 *   BUG_NOSETTLE    D5  the holds of the dead go at once, although a cell of it is CLAIMED
 *   BUG_LATEHOLD    H2  the callee writes HOLD after DONE
 *   BUG_CELLLATE    H2  HOLD for the cell after DONE (-DRESULT)
 *   BUG_DROPFIRST   H2  DROP-CELL before the own HOLD (-DRESULT)
 *   BUG_NODROPDEAD  H2  no DROP-CELL for a claimer that died (-DRESULT; leak)
 *   BUG_HEIRGEN     D5  the heir drops only the holds of the cells' current generations (-DRESULT; leak)
 */
#ifndef DEATHS
#define DEATHS 2
#endif
#define RING 6
#define HOLD 1
#define RELEASE 2
#define HOLD_CELL(n) (3 + (n))          /* HOLD for cell n */
#define DROP_CELL(n) (5 + (n))
#define OUTER 0                         /* who */
#define MIDDLE 1
#define INNER 2

mtype = { IDLE, QUEUED, CLAIMED, DONE, CANCELLED, FREED };

/* Shared memory. */
mtype c0 = IDLE, c1 = IDLE;             /* the cells */
bool r0, r1;                            /* does the result carry the reference */
byte ring[3*RING], tail[3], read[3];

bool dead[3], finished[3], freed;
byte deaths = DEATHS;
#define EMIT(who, e) ring[(who)*RING + tail[who]] = e; tail[who]++; assert(tail[who] <= RING)
#define DIES(who) :: atomic { deaths > 0 -> deaths--; dead[who] = true; goto gone }
#define STEP(who, x) if DIES(who) :: atomic { true -> x } fi
#define OWN_HOLD(who) if :: !own -> own = true; EMIT(who, HOLD) :: else fi
#define READ assert(!freed)

/* -------------------------------------------------------------------- outer */
active proctype Outer() {
  bool own;
#ifdef RESULT
  STEP(OUTER, c0 = QUEUED);
#else
  atomic { own = true; EMIT(OUTER, HOLD); c0 = QUEUED };
#endif
  if
  DIES(OUTER)
  :: atomic { c0 == DONE -> c0 = FREED; if :: r0 -> READ :: else -> goto drop fi };     /* consume */
#ifdef BUG_DROPFIRST
     STEP(OUTER, EMIT(OUTER, DROP_CELL(0))); STEP(OUTER, OWN_HOLD(OUTER))
#else
     STEP(OUTER, OWN_HOLD(OUTER)); STEP(OUTER, EMIT(OUTER, DROP_CELL(0)))
#endif
  :: atomic { dead[MIDDLE] && c0 == QUEUED -> c0 = CANCELLED }
  :: atomic { dead[MIDDLE] && c0 == CLAIMED -> c0 = FREED };
#ifndef BUG_NODROPDEAD
     STEP(OUTER, EMIT(OUTER, DROP_CELL(0)))
#endif
  fi;
drop:
  if
  DIES(OUTER)
  :: atomic { own -> READ; EMIT(OUTER, RELEASE); finished[OUTER] = true }
  :: atomic { !own -> finished[OUTER] = true }
  fi;
gone:
  own = false
}

/* ------------------------------------------------------------------- middle */
active proctype Middle() {
  bool has, own, sent;                  /* may read it; has an own hold; has called Inner */
  if
  DIES(MIDDLE)
  :: atomic { c0 == QUEUED -> c0 = CLAIMED }
  :: atomic { c0 == CANCELLED || (c0 != QUEUED && (finished[OUTER] || dead[OUTER])) -> finished[MIDDLE] = true; goto gone }
  fi;
#ifndef RESULT
  has = true;                           /* as an argument, under Outer's hold */
  if
  DIES(MIDDLE)
  :: atomic { own = true; READ; EMIT(MIDDLE, HOLD) }
  :: true
  fi;
#endif
  if
  DIES(MIDDLE)
  :: true ->
#if !defined(BUG_BORROW) && !defined(RESULT)
     STEP(MIDDLE, OWN_HOLD(MIDDLE));    /* who passes on a borrowed reference writes HOLD first */
#endif
     STEP(MIDDLE, READ; sent = true; c1 = QUEUED)
  :: true
  fi;
#ifndef RESULT
  if :: own || !sent -> goto result :: true fi;         /* finish first, or wait for Inner first */
#endif
wait:
  if
  :: sent ->
     sent = false;
     if
     DIES(MIDDLE)
     :: atomic { c1 == DONE -> c1 = FREED; if :: r1 -> READ; has = true :: else -> goto result fi };
        STEP(MIDDLE, OWN_HOLD(MIDDLE)); STEP(MIDDLE, EMIT(MIDDLE, DROP_CELL(1)))
     :: atomic { dead[INNER] && c1 == QUEUED -> c1 = CANCELLED }
     :: atomic { dead[INNER] && c1 == CLAIMED -> c1 = FREED };
#ifndef BUG_NODROPDEAD
        STEP(MIDDLE, EMIT(MIDDLE, DROP_CELL(1)))
#endif
     fi
  :: else
  fi;
result:
  if
  :: c0 == CLAIMED ->
     if
     :: has ->                          /* the result carries the reference */
#ifdef BUG_CELLLATE
        STEP(MIDDLE, READ; r0 = true; c0 = DONE); STEP(MIDDLE, EMIT(MIDDLE, HOLD_CELL(0)))
#else
        STEP(MIDDLE, READ; r0 = true; EMIT(MIDDLE, HOLD_CELL(0))); STEP(MIDDLE, c0 = DONE)
#endif
#ifdef BUG_LATEHOLD
     :: has && !own -> STEP(MIDDLE, c0 = DONE); STEP(MIDDLE, OWN_HOLD(MIDDLE))
#endif
     :: STEP(MIDDLE, if :: has -> READ :: else fi; c0 = DONE)
     fi;
     if :: sent -> goto wait :: else fi
  :: else
  fi;
  if
  DIES(MIDDLE)
  :: atomic { own -> READ; EMIT(MIDDLE, RELEASE); finished[MIDDLE] = true }
  :: atomic { !own -> finished[MIDDLE] = true }
  fi;
gone:
  atomic { has = false; own = false; sent = false }
}

/* -------------------------------------------------------------------- inner */
active proctype Inner() {
  bool own;
  if
  DIES(INNER)
  :: atomic { c1 == QUEUED -> c1 = CLAIMED }
  :: atomic { c1 == CANCELLED || (c1 == IDLE && (finished[MIDDLE] || dead[MIDDLE])) -> finished[INNER] = true; goto gone }
  fi;
#ifdef RESULT
  STEP(INNER, OWN_HOLD(INNER));         /* creates it */
#else
  if :: STEP(INNER, READ; OWN_HOLD(INNER)) :: true fi;
#endif
  if
#ifdef BUG_CELLLATE
  :: STEP(INNER, READ; r1 = true; c1 = DONE); STEP(INNER, EMIT(INNER, HOLD_CELL(1)))
#else
  :: STEP(INNER, READ; r1 = true; EMIT(INNER, HOLD_CELL(1))); STEP(INNER, c1 = DONE)
#endif
  :: STEP(INNER, READ; c1 = DONE)
  fi;
  if
  DIES(INNER)
  :: atomic { own -> READ; EMIT(INNER, RELEASE); finished[INNER] = true }
  :: atomic { !own -> finished[INNER] = true }
  fi;
gone:
  own = false
}

/* ------------------------------------------------------------------- sabird */
#define ENDED(who) (dead[who] || finished[who])
#define QUIET_FOR(who) (ENDED(who) && (!dead[who] || gone[who]))
#ifdef BUG_NOSETTLE
#define SETTLED0 true
#define SETTLED1 true
#else
#define SETTLED0 (c0 != QUEUED && (c0 != CLAIMED || dead[MIDDLE]))
#define SETTLED1 (c1 != QUEUED && (c1 != CLAIMED || dead[INNER]))
#endif
/* A remove and a death: 1 seen in this round, 2 in the round before, 3 it counts. */
#ifdef BUG_DEATHNOW
#define DEATH_SEEN 2
#else
#define DEATH_SEEN 1
#endif
#ifdef BUG_HEIRGEN
#define HEIR_DROPS(cell_state) (cell_state != FREED)
#else
#define HEIR_DROPS(cell_state) true
#endif
#define ONE_ROUND_ON(x) if :: x == 1 || x == 2 -> x++ :: else fi

active proctype Sabird() {
  short holds[3]; byte fresh[3], due[3], gone[3];
  bool cell_holds[2]; byte dropped[2];
  byte visited, p, e, quiet; bool seen;
  do
  :: atomic { visited = 0; if :: QUIET_FOR(OUTER) && QUIET_FOR(MIDDLE) && QUIET_FOR(INNER) -> quiet++ :: else fi };
     do                                 /* one round: each ring once, in any order */
     :: atomic { visited != 7 ->
          if :: !(visited & 1) -> p = 0 :: !(visited & 2) -> p = 1 :: !(visited & 4) -> p = 2 fi;
          visited = visited | (1 << p);
          do
          :: read[p] < tail[p] ->
             e = ring[p*RING + read[p]]; read[p]++;
             if
             :: e == HOLD -> holds[p]++; seen = true
             :: e == RELEASE ->
#ifdef BUG_REMOVENOW
                holds[p]--
#else
                fresh[p]++
#endif
             :: e == HOLD_CELL(0) -> cell_holds[0] = true; seen = true
             :: e == HOLD_CELL(1) -> cell_holds[1] = true; seen = true
             :: e == DROP_CELL(0) -> if :: dropped[0] == 0 -> dropped[0] = 1 :: else fi
             :: e == DROP_CELL(1) -> if :: dropped[1] == 0 -> dropped[1] = 1 :: else fi
             fi
          :: else -> break
          od;
          p = 0; e = 0 }
     /* the heir, between any two visits */
     :: atomic { dead[OUTER] && c0 == QUEUED -> c0 = CANCELLED }
     :: atomic { dead[MIDDLE] && c1 == QUEUED -> c1 = CANCELLED }
     :: atomic { dead[OUTER] && gone[OUTER] == 0 && SETTLED0 -> gone[OUTER] = DEATH_SEEN;
                 if :: dropped[0] == 0 && HEIR_DROPS(c0) -> dropped[0] = DEATH_SEEN :: else fi }
     :: atomic { dead[MIDDLE] && gone[MIDDLE] == 0 && SETTLED1 -> gone[MIDDLE] = DEATH_SEEN;
                 if :: dropped[1] == 0 && HEIR_DROPS(c1) -> dropped[1] = DEATH_SEEN :: else fi }
     :: atomic { dead[INNER] && gone[INNER] == 0 -> gone[INNER] = DEATH_SEEN }
     :: atomic { visited == 7 -> break }
     od;
     atomic {                           /* the round's end */
       p = 0;
       do
       :: p < 3 ->
          holds[p] = holds[p] - due[p]; due[p] = fresh[p]; fresh[p] = 0;
          ONE_ROUND_ON(gone[p]);
          if :: gone[p] == 3 -> holds[p] = 0; due[p] = 0 :: else fi;
          p++
       :: else -> break
       od;
       p = 0;
       do
       :: p < 2 -> ONE_ROUND_ON(dropped[p]); if :: dropped[p] == 3 -> cell_holds[p] = false :: else fi; p++
       :: else -> p = 0; break
       od;
       if
       :: seen && holds[0] == 0 && holds[1] == 0 && holds[2] == 0 && !cell_holds[0] && !cell_holds[1] -> freed = true; break
       :: else -> if :: quiet > 2 -> assert(!seen); break :: else fi
       fi }
  od
}
