/* The limit of this machine: one thread, one epoll, no parsing beyond counting blank lines, a canned
 * answer per request, one read and one write per wake-up. Not a server: it exists to be measured. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ANSWER[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    "Hello, world!";
enum { ANSWER_LENGTH = sizeof ANSWER - 1, READ = 65536, EVENTS = 256 };

int main(int argc, char **argv) {
    static char input[READ];
    static char output[(READ / 16) * ANSWER_LENGTH];
    struct epoll_event events[EVENTS];
    int one = 1;
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(argc > 1 ? atoi(argv[1]) : 8000),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) return 1;
    int poll = epoll_create1(0);
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int accepted = accept4(listener, 0, 0, SOCK_NONBLOCK);
                if (accepted < 0) continue;
                setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                interest.events = EPOLLIN | EPOLLET;
                interest.data.fd = accepted;
                epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &interest);
                continue;
            }
            /* A request that the read splits loses nothing but its answer's place in this batch only
             * when "\r\n\r\n" itself is cut; wrk's batches are far smaller than the buffer. */
            ssize_t got = recv(fd, input, sizeof input - 1, 0);
            if (got <= 0) {
                if (got == 0 || (errno != EAGAIN && errno != EINTR)) close(fd);
                continue;
            }
            input[got] = 0;
            size_t length = 0;
            for (char *at = input; (at = memmem(at, input + got - at, "\r\n\r\n", 4)); at += 4) {
                memcpy(output + length, ANSWER, ANSWER_LENGTH);
                length += ANSWER_LENGTH;
            }
            for (size_t sent = 0; sent < length;) {
                ssize_t wrote = send(fd, output + sent, length - sent, 0);
                if (wrote < 0 && errno != EAGAIN && errno != EINTR) break;
                if (wrote > 0) sent += wrote;
            }
        }
    }
}
