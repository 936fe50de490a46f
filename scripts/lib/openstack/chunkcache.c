// Preloaded into OpenStack's Python programs. CPython 3.11 maps and unmaps a 16 KiB "data stack
// chunk" each time a call crosses a chunk's border, about a thousand times in a request. Where
// unmapping is dear, as in many virtual machines, that is half of all CPU time. Here such maps
// are served from one region that stays mapped.
#define _GNU_SOURCE
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kChunk = 16384, kChunks = 256 };

static char* region;
static unsigned short free_chunks[kChunks];
static int free_count;
static unsigned char used[kChunks];
static atomic_flag busy = ATOMIC_FLAG_INIT;

static void lock(void) {
  while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
  }
}
static void unlock(void) { atomic_flag_clear_explicit(&busy, memory_order_release); }

__attribute__((constructor)) static void make_region(void) {
  void* made = (void*)syscall(SYS_mmap, 0, (size_t)kChunk * kChunks, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED) return;
  for (int i = 0; i < kChunks; i++) free_chunks[i] = (unsigned short)(kChunks - 1 - i);
  free_count = kChunks;
  region = made;
}

static int is_chunk(void* at, size_t size, int protection, int flags, int file) {
  return size == kChunk && region && !at && file == -1 && protection == (PROT_READ | PROT_WRITE) &&
         flags == (MAP_PRIVATE | MAP_ANONYMOUS);
}

void* mmap(void* at, size_t size, int protection, int flags, int file, off_t offset) {
  if (is_chunk(at, size, protection, flags, file)) {
    int chunk = -1;
    lock();
    if (free_count > 0) chunk = free_chunks[--free_count];
    unlock();
    if (chunk >= 0) {
      char* given = region + (size_t)chunk * kChunk;
      // Fresh maps are zero.
      if (used[chunk]) memset(given, 0, kChunk);
      used[chunk] = 1;
      return given;
    }
  }
  return (void*)syscall(SYS_mmap, at, size, protection, flags, file, offset);
}

void* mmap64(void* at, size_t size, int protection, int flags, int file, off_t offset) {
  return mmap(at, size, protection, flags, file, offset);
}

int munmap(void* at, size_t size) {
  char* given = at;
  if (region && given >= region && given < region + (size_t)kChunk * kChunks && size == kChunk) {
    lock();
    free_chunks[free_count++] = (unsigned short)((given - region) / kChunk);
    unlock();
    return 0;
  }
  return (int)syscall(SYS_munmap, at, size);
}
