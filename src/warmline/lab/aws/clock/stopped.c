/*
 * For LD_PRELOAD: the monotonic clocks stand still while the process is frozen, and the wall clock goes on.
 *
 * A file holds how many nanoseconds the process has been frozen so far (int64); the lab writes it before each thaw.
 * A program that is exec'd names its file in $WARMLINE_CLOCK; a forked one calls warmline_clock().
 *
 * A clock alone is not enough: the kernel's timers run on while a process is frozen, so that whatever waits would find
 * its time over at the thaw. Deadlines on the monotonic clock are therefore put off, and a wait that ended early goes
 * on. Covered is what CPython waits with: sem_clockwait (locks), pthread_cond_timedwait (the interpreter lock),
 * clock_nanosleep (time.sleep), poll, select and epoll_wait (sockets, selectors); and pthread_cond_clockwait (C++).
 * Not covered: timers (timerfd, setitimer), nanosleep, ppoll, and system calls made without the C library.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define CLOCKS 8

static const int64_t none;
static const volatile int64_t *frozen = &none;

int warmline_clock(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  void *page = mmap(NULL, sizeof *frozen, PROT_READ, MAP_SHARED, file, 0);
  int error = errno;
  close(file);
  if (page == MAP_FAILED) return error;
  frozen = page;
  return 0;
}

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("WARMLINE_CLOCK");
  if (path && warmline_clock(path)) abort();
}

/* The function that ours stands before. Some have an older version too, which is the one that dlsym would give. */
#define REAL(name, version) \
  static __typeof__(name) *real; \
  if (!real && !(real = (__typeof__(name) *)dlvsym(RTLD_NEXT, #name, version))) \
    real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int stands_still(clockid_t clock) {
  return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
         clock == CLOCK_BOOTTIME;
}

static int64_t nanoseconds(const struct timespec *time) { return time->tv_sec * SECOND + time->tv_nsec; }

static struct timespec later(const struct timespec *time, int64_t by) {
  int64_t sum = nanoseconds(time) + by;
  return (struct timespec){.tv_sec = sum / SECOND, .tv_nsec = sum % SECOND};
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  /* A freeze takes a moment to take hold, and the lab counts from its beginning: the clock must not go back. */
  static _Atomic int64_t latest[CLOCKS];
  REAL(clock_gettime, "GLIBC_2.17");
  int result = real(clock, time);
  if (result || !*frozen || !stands_still(clock)) return result;
  int64_t now = nanoseconds(time) - *frozen, last = atomic_load(&latest[clock]);
  while (now > last && !atomic_compare_exchange_weak(&latest[clock], &last, now)) continue;
  if (now < last) now = last;
  *time = (struct timespec){.tv_sec = now / SECOND, .tv_nsec = now % SECOND};
  return 0;
}

/* Wait with an absolute deadline: `call` uses `end`, and `over` is its result when the time is over. */
#define UNTIL(deadline, call, over) \
  int64_t before; \
  int result; \
  do { \
    before = *frozen; \
    struct timespec end = later(deadline, before); \
    result = (call); \
  } while ((over) && *frozen != before); \
  return result

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline) {
  REAL(sem_clockwait, "GLIBC_2.34");
  if (!stands_still(clock)) return real(semaphore, clock, deadline);
  UNTIL(deadline, real(semaphore, clock, &end), result && errno == ETIMEDOUT);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *deadline) {
  REAL(pthread_cond_clockwait, "GLIBC_2.34");
  if (!stands_still(clock)) return real(condition, mutex, clock, deadline);
  UNTIL(deadline, real(condition, mutex, clock, &end), result == ETIMEDOUT);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *deadline) {
  REAL(pthread_cond_timedwait, "GLIBC_2.3.2");
  /* The condition knows its clock and does not tell: seconds since the machine's start are few, since 1970 many. */
  if (deadline->tv_sec >= 1000000000) return real(condition, mutex, deadline);
  UNTIL(deadline, real(condition, mutex, &end), result == ETIMEDOUT);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request, struct timespec *remaining) {
  REAL(clock_nanosleep, "GLIBC_2.17");
  if (!stands_still(clock) || !(flags & TIMER_ABSTIME)) return real(clock, flags, request, remaining);
  UNTIL(request, real(clock, flags, &end, remaining), result == 0);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return nanoseconds(&time);
}

static int milliseconds_until(int64_t end) {
  int64_t left = (end - now() + 999999) / 1000000;
  return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Wait for `timeout` milliseconds: nothing came, and there was a freeze in between, so some of them may be left. */
#define FOR(timeout, call) \
  if ((timeout) <= 0) return (call); \
  int64_t before, end = now() + (timeout)*INT64_C(1000000); \
  int result; \
  do { \
    before = *frozen; \
    result = (call); \
  } while (result == 0 && *frozen != before && ((timeout) = milliseconds_until(end)) > 0); \
  return result

int poll(struct pollfd *files, nfds_t count, int timeout) {
  REAL(poll, "GLIBC_2.2.5");
  FOR(timeout, real(files, count, timeout));
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout) {
  REAL(epoll_wait, "GLIBC_2.3.2");
  FOR(timeout, real(epoll, events, count, timeout));
}

int select(int count, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout) {
  REAL(select, "GLIBC_2.2.5");
  if (!timeout) return real(count, readable, writable, exceptional, timeout);
  /* It empties the sets when the time is over. */
  fd_set empty = {{0}}, sets[3] = {readable ? *readable : empty, writable ? *writable : empty,
                                   exceptional ? *exceptional : empty};
  int64_t before, end = now() + timeout->tv_sec * SECOND + timeout->tv_usec * INT64_C(1000);
  for (;;) {
    before = *frozen;
    int result = real(count, readable, writable, exceptional, timeout);
    int64_t left = result == 0 && *frozen != before ? end - now() : 0;
    if (left <= 0) return result;
    if (readable) *readable = sets[0];
    if (writable) *writable = sets[1];
    if (exceptional) *exceptional = sets[2];
    *timeout = (struct timeval){.tv_sec = left / SECOND, .tv_usec = left % SECOND / 1000};
  }
}
