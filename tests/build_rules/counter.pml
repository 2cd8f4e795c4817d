/* Two processes add 1 to a shared counter; with BROKEN, reading and writing are two steps. */
byte counter = 0;
byte done = 0;

active [2] proctype adder() {
  byte seen;
#ifdef BROKEN
  seen = counter;
  counter = seen + 1;
#else
  atomic { seen = counter; counter = seen + 1 }
#endif
  done++;
  if
  :: done == 2 -> assert(counter == 2)
  :: else
  fi
}
