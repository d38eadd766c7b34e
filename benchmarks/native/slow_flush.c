/* A disk whose flush takes four milliseconds, as that of a database which a cloud keeps in two zones: preloaded into
   postgres, whose commits wait for fdatasync (wal_sync_method, the default on Linux). */

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_NS 4000000

int fdatasync(int descriptor)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += FLUSH_NS;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;

    int flushed = (int)syscall(SYS_fdatasync, descriptor);
    /* A signal, of which postgres has many, ends a sleep too early. */
    while (flushed == 0 && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) != 0)
        ;
    return flushed;
}
