/* The lower bound: sends one event to many clients in a loop over send(2). No server can be faster one by one.
 *
 *     floor PORT BYTES
 *
 * Accepts connections and sends each the header of a stream and a first event. For each line "VERSION" on stdin, sends
 * an event of BYTES bytes with that id to all clients. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static char event[65536];
static int *clients;
static size_t count;

static size_t make(unsigned long version, size_t bytes) {
    size_t length = sprintf(event, "id: %lu\nevent: leaderboard\ndata: ", version);
    while (length + 2 < bytes) event[length++] = 'x';
    event[length++] = '\n';
    event[length++] = '\n';
    return length;
}

int main(int argc, char **argv) {
    if (argc != 3) { fprintf(stderr, "floor PORT BYTES\n"); return 2; }
    size_t bytes = strtoul(argv[2], NULL, 10);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    clients = calloc(files.rlim_cur, sizeof *clients);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listening, (struct sockaddr *)&address, sizeof address) || listen(listening, 4096)) { perror("listen"); return 1; }
    int epoll = epoll_create1(0);
    struct epoll_event taking = {.events = EPOLLIN, .data.fd = listening}, asking = {.events = EPOLLIN, .data.fd = 0};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &taking);
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &asking);
    setvbuf(stdin, NULL, _IONBF, 0);
    printf("ready\n");
    fflush(stdout);
    struct epoll_event events[256];
    char ignored[4096], line[64];
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int n = 0; n < ready; n++) {
            int fd = events[n].data.fd;
            if (fd == 0) {
                if (!fgets(line, sizeof line, stdin)) return 0;
                size_t length = make(strtoul(line, NULL, 10), bytes);
                for (size_t c = 0; c < count; c++) send(clients[c], event, length, MSG_NOSIGNAL | MSG_DONTWAIT);
            } else if (fd == listening) {
                int client;
                while ((client = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    struct epoll_event reading = {.events = EPOLLIN, .data.fd = client};
                    epoll_ctl(epoll, EPOLL_CTL_ADD, client, &reading);
                }
            } else if (read(fd, ignored, sizeof ignored) <= 0) {
                close(fd);
            } else {
                static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
                size_t length = make(0, bytes);
                send(fd, head, sizeof head - 1, MSG_NOSIGNAL);
                send(fd, event, length, MSG_NOSIGNAL);
                clients[count++] = fd;
            }
        }
    }
}
