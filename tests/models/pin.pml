/*
 * pin.pml: a pin keeps an object's address while sabird spills and restores it.
 *
 * Rules: O5 (PIN, fence, load the state, only then read the address; SPILLING, fence, one full round that begins after the
 * mark), H1's rounds, D2 (a dead one's pins go).
 *
 * Two holders pin one object twice each; sabird spills it up to SPILLS times and restores it when asked, to another place each
 * time. DEATHS of the holders die, each at any step.
 *
 * Checked: while a holder reads, the bytes lie where it looks; a holder that asks is answered; in the end nothing is pinned.
 *
 * Assumed: sequential consistency (a missing fence is modelled by the swapped order); UNPIN and a death count when read.
 *
 * Mutations, each must be found; all break O5, the last one D2:
 *   BUG_NOFENCE      the state is loaded before the PIN is visible
 *   BUG_NOCHECK      the state is not loaded after the PIN
 *   BUG_EARLYADDRESS the address is read before the PIN, and used if the state is RESIDENT after it
 *   BUG_GENERATION   entry (state and generation) and address are read before the PIN, the entry compared after it; the
 *                    generation changes when the object moves out: SPILLED and an old address, accepted after a restore
 *   BUG_NOMARK       sabird does not set SPILLING
 *   BUG_MARKLATE     sabird's mark becomes visible after its round
 *   BUG_PARTROUND    sabird takes the round under way for the full round
 *   BUG_NORECHECK    sabird marks and reads a round, but decides by the pins it counted before the mark
 *   BUG_DEADPIN      a dead one's pins stay (leak)
 */
#ifndef DEATHS
#define DEATHS 2
#endif
#ifndef SPILLS
#define SPILLS 3
#endif
#define RING 4
#define PIN 1
#define UNPIN 2
#define ON_DISK 255

mtype = { RESIDENT, SPILLING, SPILLED };

/* Shared memory. */
mtype state = RESIDENT;                 /* the object's entry */
byte generation, address;
byte ring[2*RING], tail[2];
bool asked[2]; byte answer[2];          /* control channel; answer: address + 1 */

byte place;                             /* where the bytes really are */
bool dead[2], finished[2];
byte deaths;

/* ------------------------------------------------------------------ holders */
#define EMIT(e) ring[me*RING + tail[me]] = e; tail[me]++
#define DIES :: atomic { deaths > 0 -> deaths--; dead[me] = true; goto gone }
#define STEP(x) if DIES :: atomic { true -> x } fi

proctype Holder(byte me) {
  byte n, where, old_generation; mtype seen = RESIDENT;
  do
  :: n < 2 ->
#if defined(BUG_EARLYADDRESS) || defined(BUG_GENERATION)
     STEP(seen = state; old_generation = generation);
     STEP(where = address);
#endif
#ifdef BUG_NOFENCE
     STEP(seen = state); STEP(EMIT(PIN));
#elif defined(BUG_NOCHECK)
     STEP(EMIT(PIN); seen = RESIDENT);
#elif defined(BUG_GENERATION)
     STEP(EMIT(PIN)); STEP(seen = (state == RESIDENT && generation == old_generation -> RESIDENT : SPILLED));
#else
     STEP(EMIT(PIN)); STEP(seen = state);                       /* PIN, fence, load */
#endif
     if
     :: seen == RESIDENT ->
#if defined(BUG_EARLYADDRESS) || defined(BUG_GENERATION)
        skip
#else
        STEP(where = address)
#endif
     :: else ->
        STEP(asked[me] = true);
        if DIES :: atomic { answer[me] != 0 -> where = answer[me] - 1; answer[me] = 0 } fi
     fi;
     STEP(assert(place == where));                              /* reading takes a while */
     STEP(assert(place == where); EMIT(UNPIN));
     where = 0; old_generation = 0; seen = RESIDENT; n++
  :: else -> break
  od;
  finished[me] = true;
gone:
  atomic { n = 0; where = 0; old_generation = 0; seen = RESIDENT }
}

/* ------------------------------------------------------------------- sabird */
short pins[2];
byte visited, p, entry, read[2];

inline round(already) {                 /* each ring once, in any order */
  visited = already;
  do
  :: atomic { visited != 3 ->
        if :: !(visited & 1) -> p = 0 :: !(visited & 2) -> p = 1 fi;
        visited = visited | (1 << p);
        do
        :: read[p] < tail[p] ->
           entry = ring[p*RING + read[p]]; read[p]++;
           if :: entry == PIN -> pins[p]++ :: else -> pins[p]-- fi
        :: else -> break
        od;
#ifndef BUG_DEADPIN
        if :: dead[p] -> pins[p] = 0 :: else fi;
#endif
        entry = 0; p = 0 }
  :: atomic { visited == 3 -> visited = 0; break }
  od
}
#define GONE(p) (dead[p] || finished[p])
#define UNPINNED (pins[0] == 0 && pins[1] == 0)

active proctype Sabird() {
  byte spills; bool free;
  /* how many die is decided first: else a death still to come would hide an invalid end state */
  atomic { do :: deaths < DEATHS -> deaths++ :: break od; run Holder(0); run Holder(1) };
again:
  do
  :: atomic { asked[0] -> p = 0 } -> goto reply
  :: atomic { asked[1] -> p = 1 } -> goto reply
  :: spills < SPILLS && state == RESIDENT ->
     spills++;
#if defined(BUG_NOMARK)
     round(0); free = UNPINNED;
#elif defined(BUG_MARKLATE)
     round(0); free = UNPINNED; state = SPILLING;
#elif defined(BUG_PARTROUND)
     round(2); state = SPILLING; round(1); free = UNPINNED;     /* ring 0 before the mark, ring 1 after it */
#elif defined(BUG_NORECHECK)
     round(0); free = UNPINNED; state = SPILLING; round(0);
#else
     state = SPILLING; round(0); free = UNPINNED;
#endif
     if
     :: free -> atomic { state = SPILLED; generation++; place = ON_DISK; free = false }
     :: else -> state = RESIDENT
     fi
  :: GONE(0) && GONE(1) -> break
  od;
  round(0);
  assert(UNPINNED);
  goto left;
reply:
  if
  :: state == SPILLED -> place = generation; address = generation; state = RESIDENT
  :: else
  fi;
  atomic { answer[p] = address + 1; asked[p] = false; p = 0 };
  goto again;
left:
  skip
}
