/* What the C ABI and the layouts in shared memory take for granted of the C compiler. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct probe {
  size_t struct_size;
  uint32_t first;
  uint64_t second;
};

_Static_assert(sizeof(void*) == 8, "64-bit pointers");
_Static_assert(offsetof(struct probe, second) == 16, "natural alignment");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics without locks");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "32-bit atomics without locks");

int main(void) {
  const uint16_t one = 1;
  if (*(const unsigned char*)&one != 1) {
    fputs("not little-endian\n", stderr);
    return 1;
  }
  return 0;
}
