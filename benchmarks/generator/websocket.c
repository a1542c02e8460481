/* A client of many WebSockets: one thread, one epoll. It masks what it sends and compares every message that comes, byte by byte.
 *
 *     websocket echo PORT PATH CONNECTIONS SECONDS SIZE       each connection sends the next message when the last one is back
 *     websocket broadcast PORT PATH CONNECTIONS SECONDS SIZE  the first one sends, all get it; WINDOW messages are under way
 *
 * prints: messages N seconds S p50 MS p99 MS errors N, of messages received; the latencies are of a closed loop, and of echoes. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ = 65536, EVENTS = 512, LONGEST = 60000, WINDOW = 4, BUCKETS = 1 << 20 };

/* What is left of a read that ended within a frame; and when the message under way was sent. */
struct connection {
    int fd;
    size_t kept;
    unsigned char *rest;
    uint64_t sent;
    int seen;
};

static struct connection *connections;
static int count, poll_fd, size;
static unsigned char payload[LONGEST], expected[LONGEST + 4];
static size_t expected_length;
static uint64_t messages, errors, random_state = 88172645463325252u;
static uint32_t histogram[BUCKETS]; /* by microseconds */

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "refused");
    exit(1);
}

/* The next random number (xorshift): what a mask is made of. */
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

/* The head of a frame with a text of `size` bytes (RFC 6455 section 5.2); its length. */
static size_t head(unsigned char *to, unsigned char masked) {
    to[0] = 0x81;
    if (size < 126) {
        to[1] = masked | (unsigned char)size;
        return 2;
    }
    to[1] = masked | 126;
    to[2] = (unsigned char)(size >> 8);
    to[3] = (unsigned char)size;
    return 4;
}

/* Messages are small and few are under way: a socket that does not take one at once is an error. */
static void send_message(struct connection *to) {
    unsigned char frame[LONGEST + 8];
    size_t at = head(frame, 0x80);
    uint32_t mask = (uint32_t)next_random();
    memcpy(frame + at, &mask, 4);
    const unsigned char *key = frame + at;
    at += 4;
    for (int i = 0; i < size; i++) frame[at + i] = payload[i] ^ key[i & 3];
    to->sent = now();
    if (send(to->fd, frame, at + size, MSG_NOSIGNAL) != (ssize_t)(at + size)) errors++;
}

static void open_connection(struct connection *new, int port, const char *path) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    char text[4096];
    int one = 1;
    new->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (new->fd < 0 || connect(new->fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(new->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int length = snprintf(text, sizeof text,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          path, port);
    if (send(new->fd, text, length, MSG_NOSIGNAL) != length) fail("handshake");
    size_t got = 0;
    do {
        /* One byte at a time: what comes behind the head is a frame already. */
        if (got == sizeof text - 1 || recv(new->fd, text + got, 1, 0) != 1) fail("handshake");
        text[++got] = 0;
    } while (got < 4 || memcmp(text + got - 4, "\r\n\r\n", 4));
    errno = 0;
    if (strncmp(text, "HTTP/1.1 101 ", 13)) fail(strtok(text, "\r"));
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = new};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, new->fd, &interest);
    new->rest = malloc(LONGEST + 4);
}

/* Counts the messages of one read, and gives their number. */
static int take(struct connection *from, uint64_t since) {
    static unsigned char input[READ + LONGEST + 4];
    memcpy(input, from->rest, from->kept);
    ssize_t got = recv(from->fd, input + from->kept, READ, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            errors++;
            epoll_ctl(poll_fd, EPOLL_CTL_DEL, from->fd, 0);
        }
        return 0;
    }
    size_t length = from->kept + (size_t)got, at = 0;
    int taken = 0;
    for (; length - at >= expected_length; at += expected_length, taken++)
        if (memcmp(input + at, expected, expected_length)) {
            /* Another message, a ping, a close: the rest cannot be read by its length. */
            errors++;
            epoll_ctl(poll_fd, EPOLL_CTL_DEL, from->fd, 0);
            return taken;
        }
    from->kept = length - at;
    memcpy(from->rest, input + at, from->kept);
    if (taken && since) {
        uint64_t took = now() - since;
        histogram[took < BUCKETS ? took : BUCKETS - 1] += taken;
    }
    return taken;
}

static double percentile(double part) {
    uint64_t all = 0, below = 0;
    for (int i = 0; i < BUCKETS; i++) all += histogram[i];
    for (int i = 0; i < BUCKETS; i++)
        if ((below += histogram[i]) >= part * all) return i / 1000.0;
    return 0;
}

/* A server that broadcasts knows a client some time after its handshake: messages are sent until each has had one, and all have come. */
static void gather(void) {
    struct epoll_event events[EVENTS];
    int unseen = count;
    for (int tries = 0; unseen && tries < 200; tries++) {
        send_message(&connections[0]);
        for (int ready; (ready = epoll_wait(poll_fd, events, EVENTS, 100)) > 0;)
            for (int i = 0; i < ready; i++) {
                struct connection *from = events[i].data.ptr;
                if (take(from, 0) && !from->seen) from->seen = 1, unseen--;
            }
    }
    errno = 0;
    if (unseen) fail("not every client gets the messages");
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    int is_echo = !strcmp(argv[1], "echo"), port = atoi(argv[2]);
    struct epoll_event events[EVENTS];
    count = atoi(argv[4]);
    size = atoi(argv[6]);
    if (count < 1 || size < 1 || size > LONGEST) return 2;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < size; i++) payload[i] = (unsigned char)('a' + i % 26);
    expected_length = head(expected, 0) + size;
    memcpy(expected + expected_length - size, payload, size);
    poll_fd = epoll_create1(0);
    connections = calloc(count, sizeof *connections);
    for (int i = 0; i < count; i++) open_connection(&connections[i], port, argv[3]);
    if (!is_echo) gather();

    uint64_t begun = now(), end = begun + (uint64_t)(atof(argv[5]) * 1e6), time = begun, published = 0;
    if (is_echo)
        for (int i = 0; i < count; i++) send_message(&connections[i]);
    else
        for (; published < WINDOW; published++) send_message(&connections[0]);
    while (time < end && !errors) {
        int ready = epoll_wait(poll_fd, events, EVENTS, (int)((end - time) / 1000) + 1);
        for (int i = 0; i < ready; i++) {
            struct connection *from = events[i].data.ptr;
            int taken = take(from, is_echo ? from->sent : 0);
            messages += taken;
            if (is_echo && taken == 1) send_message(from);
            if (is_echo && taken > 1) errors++;
        }
        for (; !is_echo && published < messages / count + WINDOW; published++) send_message(&connections[0]);
        time = now();
    }
    printf("messages %llu seconds %.6f p50 %.3f p99 %.3f errors %llu\n", (unsigned long long)messages,
           (now() - begun) / 1e6, percentile(0.5), percentile(0.99), (unsigned long long)errors);
    return 0;
}
