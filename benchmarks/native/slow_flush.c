/* Makes each flush take four milliseconds, like a cloud database that is replicated to a second zone. Preload it into
   postgres, whose commits wait for fdatasync (the default wal_sync_method on Linux). */

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
    /* Signals, which postgres uses often, interrupt the sleep. */
    while (flushed == 0 && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) != 0)
        ;
    return flushed;
}
