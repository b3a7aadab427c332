/*
 * Moves the wall clock of the program that loads it (LD_PRELOAD) by as many seconds as stand in the file that MOVED_CLOCK
 * names (eight bytes, in the machine's order, read anew at every look). Timers run on as they are: so it is on a machine
 * whose clock was set, and on one that slept.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *moved_seconds;

__attribute__((constructor)) static void find_seconds(void) {
  const char *path = getenv("MOVED_CLOCK");
  if (path == NULL) return;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *bytes = mmap(NULL, sizeof *moved_seconds, PROT_READ, MAP_SHARED, file, 0);
  if (bytes != MAP_FAILED) moved_seconds = bytes;
  close(file);
}

int clock_gettime(clockid_t which, struct timespec *now) {
  long result = syscall(SYS_clock_gettime, which, now);
  int is_wall = which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE;
  if (result == 0 && is_wall && moved_seconds != NULL) now->tv_sec += *moved_seconds;
  return (int)result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  int result = clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return result;
}

time_t time(time_t *seconds) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (seconds != NULL) *seconds = exact.tv_sec;
  return exact.tv_sec;
}
