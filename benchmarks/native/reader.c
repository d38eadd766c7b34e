/* Many open streams in one thread, as cheaply as possible: their cost must not count as the server's.
 *
 *     reader HOST PORT PATH
 *
 * Reads commands from stdin, one per line, and answers each with a line of JSON:
 *     open N            connect until N streams have received a first event, a few hundred at a time
 *     reopen            close all streams and connect again, all at once; answers like open
 *     clear             discard the events received so far
 *     await VERSION MS  wait until each stream has this version or a later one, or time is up
 *     report COUNT      COUNT lines follow, "VERSION NANOSECONDS": the time of each POST (CLOCK_MONOTONIC), in
 *                       order. Answers how long each version, or a later one, took to each stream.
 * Connects from 127.0.0.2 to 127.0.0.9, because one address has too few ports. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SOURCES = 8, IN_FLIGHT = 256, BIN_NS = 10000, BINS = 2000000, OPEN_LIMIT_MS = 60000 };
enum { CLOSED, CONNECTING, OPEN };

typedef struct { uint64_t version; int64_t at; } Arrival;

typedef struct {
    int fd, state, line;
    uint64_t number, newest;
    Arrival *arrivals;
    size_t count, room;
} Stream;

static Stream *streams;
static size_t total, live, in_flight, opened;
static uint64_t bytes_read, events_read, lost_streams, went_back;
static int epoll_fd;
static struct sockaddr_in server;
static char request[1024];

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what) { perror(what); exit(1); }

static void begin(size_t index) {
    Stream *s = &streams[index];
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (s->fd < 0) fail("socket");
    int on = 1;
    setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(0x7f000002 + index % SOURCES);
    if (bind(s->fd, (struct sockaddr *)&source, sizeof source)) fail("bind");
    if (connect(s->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) fail("connect");
    s->state = CONNECTING;
    s->line = 0;
    s->newest = 0;
    in_flight++;
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = index};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &event)) fail("epoll_ctl");
}

static void end(Stream *s) {
    close(s->fd);
    if (s->newest) live--; else in_flight--;
    s->state = CLOSED;
    lost_streams++;
}

static void arrived(Stream *s, uint64_t version, int64_t at) {
    if (!s->newest) { live++; in_flight--; }
    if (version + 1 < s->newest) went_back++;
    s->newest = version + 1;
    events_read++;
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 16;
        s->arrivals = realloc(s->arrivals, s->room * sizeof(Arrival));
        if (!s->arrivals) fail("realloc");
    }
    s->arrivals[s->count++] = (Arrival){version, at};
}

/* Parses lines of the form "id: NUMBER" and skips all others. */
static void parse(Stream *s, const char *data, ssize_t length, int64_t at) {
    static const char prefix[] = "id: ";
    const char *stop = data + length;
    while (data < stop) {
        if (s->line < 0) {
            data = memchr(data, '\n', stop - data);
            if (!data) return;
            data++;
            s->line = 0;
        } else if (s->line < 4) {
            if (*data == prefix[s->line]) { s->line++; s->number = 0; data++; }
            else if (*data == '\n') { s->line = 0; data++; }
            else s->line = -1;
        } else if (*data >= '0' && *data <= '9') {
            s->number = 10 * s->number + (*data++ - '0');
        } else {
            arrived(s, s->number, at);
            s->line = -1;
        }
    }
}

static void turn(int timeout_ms) {
    static struct epoll_event events[512];
    static char buffer[65536];
    int ready = epoll_wait(epoll_fd, events, 512, timeout_ms);
    for (int n = 0; n < ready; n++) {
        Stream *s = &streams[events[n].data.u64];
        if (s->state == CONNECTING) {
            int error = 0;
            socklen_t size = sizeof error;
            getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error || write(s->fd, request, strlen(request)) < 0) { end(s); continue; }
            s->state = OPEN;
            struct epoll_event reading = {.events = EPOLLIN, .data = events[n].data};
            epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &reading);
            continue;
        }
        ssize_t length = read(s->fd, buffer, sizeof buffer);
        if (length > 0) {
            bytes_read += length;
            parse(s, buffer, length, now());
        } else if (length == 0 || errno != EAGAIN) {
            end(s);
        }
    }
}

static void open_until(size_t wanted, size_t at_once) {
    int64_t begun = now(), limit = begun + OPEN_LIMIT_MS * 1000000LL;
    uint64_t lost_before = lost_streams;
    while (live < wanted && now() < limit) {
        while (opened < wanted && in_flight < at_once) begin(opened++);
        turn(10);
        /* Refused streams connect again, as a browser does. */
        if (lost_streams > lost_before)
            for (size_t n = 0; n < opened && in_flight < at_once; n++)
                if (streams[n].state == CLOSED) begin(n);
    }
    printf("{\"live\": %zu, \"seconds\": %.4f, \"tries\": %zu}\n", live, (now() - begun) / 1e9,
           wanted + (size_t)(lost_streams - lost_before));
    lost_streams = 0;
}

static void clear(void) {
    for (size_t n = 0; n < opened; n++) streams[n].count = 0;
    bytes_read = events_read = lost_streams = went_back = 0;
}

static void await_version(uint64_t version, int64_t limit_ms) {
    int64_t begun = now(), limit = begun + limit_ms * 1000000LL;
    size_t missing;
    do {
        turn(5);
        missing = 0;
        for (size_t n = 0; n < opened; n++)
            missing += streams[n].state == OPEN && streams[n].newest < version + 1;
    } while (missing && now() < limit);
    printf("{\"missing\": %zu, \"seconds\": %.4f}\n", missing, (now() - begun) / 1e9);
}

static double percentile(const uint32_t *bins, uint64_t count, double part) {
    uint64_t wanted = (uint64_t)(part * count + 0.999999), seen = 0;
    for (size_t n = 0; n < BINS; n++)
        if ((seen += bins[n]) >= wanted) return (n + 1) * (double)BIN_NS / 1e6;
    return BINS * (double)BIN_NS / 1e6;
}

static void report(size_t count) {
    Arrival *posts = calloc(count + 1, sizeof *posts);
    int64_t *last = calloc(count + 1, sizeof *last);
    uint32_t *bins = calloc(BINS, sizeof *bins);
    if (!posts || !last || !bins) fail("calloc");
    for (size_t n = 0; n < count; n++)
        if (scanf("%lu %ld", &posts[n].version, &posts[n].at) != 2) exit(1);
    uint64_t delivered = 0, missed = 0;
    size_t reading = 0;
    for (size_t n = 0; n < opened; n++) {
        Stream *s = &streams[n];
        if (s->state != OPEN) continue;
        reading++;
        size_t place = 0;
        for (size_t p = 0; p < count; p++) {
            while (place < s->count && s->arrivals[place].version < posts[p].version) place++;
            if (place == s->count) { missed++; continue; }
            int64_t taken = s->arrivals[place].at - posts[p].at;
            size_t bin = taken < 0 ? 0 : taken / BIN_NS;
            bins[bin < BINS ? bin : BINS - 1]++;
            delivered++;
            if (taken > last[p]) last[p] = taken;
        }
    }
    printf("{\"reading\": %zu, \"live\": %zu, \"events\": %lu, \"bytes\": %lu, \"lost_streams\": %lu, "
           "\"went_back\": %lu, \"missed\": %lu, \"p50_ms\": %.3f, \"p95_ms\": %.3f, \"p99_ms\": %.3f, \"last_ms\": [",
           reading, live, events_read, bytes_read, lost_streams, went_back, missed, percentile(bins, delivered, 0.50),
           percentile(bins, delivered, 0.95), percentile(bins, delivered, 0.99));
    for (size_t p = 0; p < count; p++) printf("%s%.3f", p ? ", " : "", last[p] / 1e6);
    printf("], \"histogram\": [");
    for (size_t n = 0, first = 1; n < BINS; n++)
        if (bins[n]) { printf("%s[%.2f, %u]", first ? "" : ", ", (n + 1) * (double)BIN_NS / 1e6, bins[n]); first = 0; }
    printf("]}\n");
    free(posts); free(last); free(bins);
}

int main(int argc, char **argv) {
    if (argc != 4) { fprintf(stderr, "reader HOST PORT PATH\n"); return 2; }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server.sin_family = AF_INET;
    server.sin_port = htons(atoi(argv[2]));
    inet_pton(AF_INET, argv[1], &server.sin_addr);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", argv[3], argv[1]);
    epoll_fd = epoll_create1(0);
    total = files.rlim_cur;
    streams = calloc(total, sizeof *streams);
    setvbuf(stdin, NULL, _IONBF, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    char command[32];
    for (;;) {
        /* Read streams until there is a command. */
        for (;;) {
            struct timeval none = {0, 0};
            fd_set input;
            FD_ZERO(&input);
            FD_SET(0, &input);
            if (select(1, &input, NULL, NULL, &none) > 0) break;
            turn(2);
        }
        if (scanf("%31s", command) != 1) return 0;
        unsigned long first = 0, second = 0;
        if (!strcmp(command, "open")) {
            if (scanf("%lu", &first) != 1 || first > total) return 1;
            open_until(first, IN_FLIGHT);
        } else if (!strcmp(command, "reopen")) {
            for (size_t n = 0; n < opened; n++) if (streams[n].state != CLOSED) { close(streams[n].fd); streams[n].state = CLOSED; }
            first = opened;
            opened = live = in_flight = 0;
            open_until(first, first);
        } else if (!strcmp(command, "await")) {
            if (scanf("%lu %lu", &first, &second) != 2) return 1;
            await_version(first, second);
        } else if (!strcmp(command, "report")) {
            if (scanf("%lu", &first) != 1) return 1;
            report(first);
        } else {
            if (strcmp(command, "clear")) return 1;
            clear();
            printf("{}\n");
        }
    }
}
