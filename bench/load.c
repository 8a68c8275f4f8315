/* Asks an AMP server for Sum(a=13, b=81) as fast as it answers, so that the server is what limits; knows no other command.
 *
 * load ADDRESS CONNECTIONS DEPTH COUNT: ADDRESS is the path of a unix socket or an IPv4 host:port. Each connection keeps
 * DEPTH asks outstanding until COUNT have been made in all. Each answer must have the tag of an ask that waits, and the
 * total 94. Prints {"calls": ..., "seconds": ..., "errors": ...}; the status is 1 if a call failed. Plain C, POSIX sockets. */

#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 1024, MAX_DEPTH = 0x10000, READ_SIZE = 1 << 18, PATIENCE_MS = 30000 };

/* The tag is the number of a slot, four hexadecimal digits at TAG_AT; a slot is used again when it has been answered. */
static const char ASK[] = "\0\4_ask\0\4____\0\10_command\0\3Sum\0\1a\0\00213\0\1b\0\00281\0";
enum { ASK_SIZE = sizeof ASK, TAG_AT = 8, TAG_SIZE = 4 };

struct connection {
    int fd;
    bool *waits;      /* for each slot, whether an ask is unanswered */
    char *in;         /* bytes that were read and are not yet a whole answer */
    size_t in_size;
    char *out;        /* asks that are not yet sent: from out_begin to out_end */
    size_t out_begin, out_end;
};

static long to_ask, unanswered, errors;

static void die(const char *what) {
    perror(what);
    exit(2);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int connected(const char *address) {
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in internet = {.sin_family = AF_INET};
    const char *colon = strrchr(address, ':');
    bool is_local = strchr(address, '/') != NULL || colon == NULL;
    int fd = socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM, 0), one = 1, status;
    if (fd < 0) die("socket");
    if (is_local) {
        if (strlen(address) >= sizeof local.sun_path) { errno = ENAMETOOLONG; die(address); }
        strcpy(local.sun_path, address);
        status = connect(fd, (struct sockaddr *)&local, sizeof local);
    } else {
        char host[64] = "";
        if ((size_t)(colon - address) < sizeof host) memcpy(host, address, (size_t)(colon - address));
        if (inet_pton(AF_INET, host, &internet.sin_addr) != 1) { errno = EINVAL; die(address); }
        internet.sin_port = htons((unsigned short)atoi(colon + 1));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        status = connect(fd, (struct sockaddr *)&internet, sizeof internet);
    }
    if (status < 0) die(address);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

/* Queues an ask in this slot, if there is one left to make. */
static void ask(struct connection *c, unsigned slot) {
    if (to_ask == 0) return;
    to_ask--;
    char *at = c->out + c->out_end, tag[TAG_SIZE + 1];
    memcpy(at, ASK, ASK_SIZE);
    snprintf(tag, sizeof tag, "%04x", slot & 0xffff);
    memcpy(at + TAG_AT, tag, TAG_SIZE);
    c->waits[slot] = true;
    c->out_end += ASK_SIZE;
}

/* Reads one box: returns its size, or 0 if it is not whole. Gives the slot that it answers, or -1 if it is no good answer. */
static size_t read_answer(const char *box, size_t size, long *slot) {
    bool is_right = false;
    size_t at = 0;
    *slot = -1;
    for (;;) {
        if (at + 2 > size) return 0;
        size_t key_size = (unsigned char)box[at + 1];
        const char *key = box + at + 2;
        if (box[at]) { *slot = -1; return size; }
        at += 2;
        if (key_size == 0) break;
        at += key_size;
        if (at + 2 > size) return 0;
        size_t value_size = (size_t)(unsigned char)box[at] << 8 | (unsigned char)box[at + 1];
        const char *value = box + at + 2;
        at += 2 + value_size;
        if (at > size) return 0;
        if (key_size == 7 && !memcmp(key, "_answer", 7) && value_size == TAG_SIZE) {
            char tag[TAG_SIZE + 1] = "";
            memcpy(tag, value, TAG_SIZE);
            *slot = strtol(tag, NULL, 16);
        } else if (key_size == 5 && !memcmp(key, "total", 5) && value_size == 2 && !memcmp(value, "94", 2)) {
            is_right = true;
        }
    }
    if (!is_right) *slot = -1;
    return at;
}

/* Takes what has come; each good answer is followed by another ask. False if the connection has ended. */
static bool receive(struct connection *c, long depth) {
    ssize_t got = recv(c->fd, c->in + c->in_size, READ_SIZE - c->in_size, 0);
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
    c->in_size += (size_t)got;
    size_t at = 0, size;
    long slot;
    while ((size = read_answer(c->in + at, c->in_size - at, &slot)) > 0) {
        at += size;
        unanswered--;
        if (slot < 0 || slot >= depth || !c->waits[slot]) {
            errors++;
            return false;
        }
        c->waits[slot] = false;
        ask(c, (unsigned)slot);
    }
    memmove(c->in, c->in + at, c->in_size -= at);
    return true;
}

static bool send_asks(struct connection *c) {
    ssize_t sent = send(c->fd, c->out + c->out_begin, c->out_end - c->out_begin, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    c->out_begin += (size_t)sent;
    memmove(c->out, c->out + c->out_begin, c->out_end -= c->out_begin); /* so there is always room for DEPTH asks */
    c->out_begin = 0;
    return true;
}

int main(int argc, char **argv) {
    static struct connection connections[MAX_CONNECTIONS];
    static struct pollfd polled[MAX_CONNECTIONS];
    long count = argc == 5 ? atol(argv[4]) : 0, depth = argc == 5 ? atol(argv[3]) : 0, n = argc == 5 ? atol(argv[2]) : 0;
    if (n < 1 || n > MAX_CONNECTIONS || depth < 1 || depth > MAX_DEPTH || count < 1) {
        fprintf(stderr, "load ADDRESS CONNECTIONS DEPTH COUNT\n");
        return 2;
    }
    to_ask = unanswered = count;
    for (long i = 0; i < n; i++) {
        struct connection *c = &connections[i];
        c->waits = calloc((size_t)depth, sizeof *c->waits);
        c->in = malloc(READ_SIZE);
        c->out = malloc((size_t)depth * ASK_SIZE);
        if (!c->waits || !c->in || !c->out) die("memory");
        polled[i].fd = c->fd = connected(argv[1]);
        for (long slot = 0; slot < depth; slot++) ask(c, (unsigned)slot);
    }
    double began = now();
    while (unanswered > 0 && errors == 0) {
        for (long i = 0; i < n; i++) polled[i].events = connections[i].out_end ? POLLIN | POLLOUT : POLLIN;
        if (poll(polled, (nfds_t)n, PATIENCE_MS) <= 0) break;
        for (long i = 0; i < n; i++) {
            bool is_open = !(polled[i].revents & (POLLIN | POLLHUP | POLLERR)) || receive(&connections[i], depth);
            if (!is_open || (connections[i].out_end && !send_asks(&connections[i]))) errors++;
        }
    }
    double seconds = now() - began;
    if (unanswered > 0) errors += unanswered;
    printf("{\"calls\": %ld, \"seconds\": %.6f, \"errors\": %ld}\n", count - unanswered, seconds, errors);
    return errors != 0;
}
