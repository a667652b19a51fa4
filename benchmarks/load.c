/* A load generator for event streams: many connections, one thread, epoll, loopback only.
 *
 *   load CLIENTS [IN-FLIGHT] [SECONDS]
 *
 * CLIENTS is a file with one client a line: the server's port, the request's path, and any headers, with tabs between
 * them. All of them are opened, at most IN-FLIGHT at a time, and one JSON line on standard output says how that went.
 * Then standard input is obeyed:
 *
 *   expect N    answer "expecting", then count N events on every connection and report in one JSON line
 *   quit        close all and end; so does the end of standard input
 *
 * An event is known by "bench-t=<nanoseconds>", the publisher's CLOCK_MONOTONIC. Every wait ends after SECONDS, and
 * one for events also when nothing came for ten.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_LIMIT 20000
#define SAMPLES_LIMIT 20000000
#define EVENTS_LIMIT 10000 /* of one `expect` */
#define LINE_BYTES 8192
#define REQUEST_BYTES (2 * LINE_BYTES)
#define READ_BYTES (256 * 1024)
#define QUIET 10000000000 /* nanoseconds without a byte, after which the events that are missing are lost */

typedef struct {
    const char *text;
    int length;
    uint8_t back[32]; /* Knuth-Morris-Pratt: where to go on after a mismatch */
} Pattern;

static Pattern head_end = {"\r\n\r\n", 4, {0}}, first_frame = {"\n\n", 2, {0}}, marker = {"bench-t=", 8, {0}};

enum { UNUSED, CONNECTING, HEAD, FIRST_FRAME, OPEN, CLOSED };

typedef struct {
    int fd;
    uint8_t state, matched, in_number;
    int status;       /* of HTTP; -1 while its digits are awaited */
    int head_bytes;   /* read so far, to find the status */
    int events;       /* since the last `expect` */
    int64_t started;  /* of the connect, nanoseconds */
    uint64_t number;  /* digits of a marker so far */
    uint64_t newest;  /* newest event seen */
    uint16_t port;
    char *request;
} Client;

typedef struct {
    uint32_t event; /* its index in `events`; 0 when connections are opened */
    uint32_t microseconds;
} Sample;

static Client *clients;
static int total, next_client, in_flight, opened, failed, dropped, refusal, epoll;
static int expected, complete, event_count;
static int in_flight_limit = 64;
static int64_t wait_limit = 60000000000; /* nanoseconds */
static int64_t repeats, delivered, bytes_read, sample_count, last_read;
static Sample *samples;
static uint64_t events[EVENTS_LIMIT]; /* when each was sent */
static char buffer[READ_BYTES];

static void die(const char *why) {
    fprintf(stderr, "load: %s\n", why);
    exit(1);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void prepare(Pattern *p) {
    for (int i = 1, k = 0; i < p->length; i++) {
        while (k && p->text[i] != p->text[k]) k = p->back[k - 1];
        if (p->text[i] == p->text[k]) k++;
        p->back[i] = (uint8_t)k;
    }
}

/* Look for `p`, which may begin in one read and end in the next. Returns what follows it, or NULL. */
static const char *find(const Pattern *p, uint8_t *matched, const char *at, const char *end) {
    uint8_t k = *matched;
    while (at < end) {
        if (!k && !(at = memchr(at, p->text[0], (size_t)(end - at)))) break;
        while (k && *at != p->text[k]) k = p->back[k - 1];
        if (*at == p->text[k]) k++;
        at++;
        if (k == p->length) {
            *matched = 0;
            return at;
        }
    }
    *matched = k;
    return NULL;
}

static void note(int event, int64_t nanoseconds) {
    if (sample_count == SAMPLES_LIMIT) return;
    samples[sample_count++] = (Sample){(uint32_t)event, (uint32_t)(nanoseconds / 1000)};
}

static int by_size(const void *a, const void *b) {
    const Sample *x = a, *y = b;
    return (x->microseconds > y->microseconds) - (x->microseconds < y->microseconds);
}

static int by_event(const void *a, const void *b) {
    const Sample *x = a, *y = b;
    return x->event == y->event ? by_size(a, b) : (x->event > y->event) - (x->event < y->event);
}

static double milliseconds(int64_t index) { return samples[index].microseconds / 1000.0; }

static double percentile(double part) {
    return sample_count ? milliseconds((int64_t)((double)(sample_count - 1) * part)) : 0.0;
}

static void print_latency(void) {
    qsort(samples, (size_t)sample_count, sizeof *samples, by_size);
    printf("\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f", percentile(.5), percentile(.99), percentile(1));
}

/* Print each event: when it was sent, how many have it, and how long it took to half of them and to the last. */
static void print_events(void) {
    qsort(samples, (size_t)sample_count, sizeof *samples, by_event);
    printf("\"events\":[");
    for (int64_t first = 0, end; first < sample_count; first = end) {
        for (end = first; end < sample_count && samples[end].event == samples[first].event;) end++;
        printf("%s{\"sent\":%lu,\"clients\":%ld,", first ? "," : "", events[samples[first].event], end - first);
        printf("\"p50_ms\":%.3f,\"last_ms\":%.3f}", milliseconds((first + end - 1) / 2), milliseconds(end - 1));
    }
    printf("],");
}

static void end_client(Client *c) {
    if (c->state == OPEN)
        dropped++;
    else
        failed++, in_flight--;
    if (c->state == HEAD && c->status > 0 && !refusal) refusal = c->status;
    c->state = CLOSED;
    close(c->fd);
}

static void start_client(Client *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(c->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("cannot open more sockets; raise the limit with `ulimit -n`");
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = CONNECTING;
    c->started = now();
    in_flight++;
    struct epoll_event watch = {.events = EPOLLOUT, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &watch);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) end_client(c);
}

static void send_request(Client *c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    ssize_t length = (ssize_t)strlen(c->request);
    if (error || send(c->fd, c->request, (size_t)length, MSG_NOSIGNAL) != length) {
        end_client(c);
        return;
    }
    c->state = HEAD;
    struct epoll_event watch = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &watch);
}

static void count_event(Client *c, uint64_t sent) {
    if (sent == c->newest) {
        repeats++;
        return;
    }
    c->newest = sent;
    delivered++;
    int i = event_count;
    while (i-- && events[i] != sent) {
    }
    if (i < 0 && event_count < EVENTS_LIMIT) events[i = event_count++] = sent;
    if (i >= 0 && expected) note(i, now() - (int64_t)sent); /* what is missed and replayed was sent long before */
    if (++c->events == expected) complete++;
}

static void read_events(Client *c, const char *at, const char *end) {
    while (at && at < end) {
        if (!c->in_number) {
            at = find(&marker, &c->matched, at, end);
            c->in_number = at != NULL;
            c->number = 0;
            continue;
        }
        if (*at >= '0' && *at <= '9') {
            c->number = c->number * 10 + (uint64_t)(*at++ - '0');
        } else {
            c->in_number = 0;
            count_event(c, c->number);
        }
    }
}

/* "HTTP/1.1 200": the digits are the bytes 9 to 11 of the answer. */
static void read_status(Client *c, const char *at, const char *end) {
    for (; at < end && c->head_bytes < 12; at++, c->head_bytes++)
        if (c->head_bytes >= 9) c->status = c->status * 10 + (*at - '0');
}

static void read_client(Client *c) {
    ssize_t length = recv(c->fd, buffer, sizeof buffer, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) {
        end_client(c);
        return;
    }
    bytes_read += length;
    last_read = now();
    const char *at = buffer, *end = buffer + length;
    if (c->state == HEAD) {
        read_status(c, at, end);
        if (!(at = find(&head_end, &c->matched, at, end))) return;
        if (c->status != 200) {
            end_client(c);
            return;
        }
        c->state = FIRST_FRAME;
    }
    if (c->state == FIRST_FRAME) {
        if (!(at = find(&first_frame, &c->matched, at, end))) return;
        c->state = OPEN;
        opened++;
        in_flight--;
        note(0, now() - c->started);
    }
    read_events(c, at, end);
}

/* Serve sockets until `done` or the deadline; with `obey` also until a line comes in, and then return 1. */
static int serve(int (*done)(void), int64_t deadline, int obey) {
    struct epoll_event ready[512];
    while (!done()) {
        int64_t left = (deadline - now()) / 1000000;
        if (left <= 0) return 0;
        int count = epoll_wait(epoll, ready, 512, left < 1000 ? (int)left : 1000);
        int spoken = 0;
        for (int i = 0; i < count; i++) {
            Client *c = ready[i].data.ptr;
            if (!c)
                spoken = 1;
            else if (c->state == CONNECTING)
                send_request(c);
            else if (c->state != CLOSED)
                read_client(c);
        }
        if (spoken && obey) return 1;
    }
    return 0;
}

static int all_opened(void) {
    while (in_flight < in_flight_limit && next_client < total) start_client(&clients[next_client++]);
    return opened + failed == total;
}

static int all_delivered(void) { return complete >= opened - dropped || now() - last_read > QUIET; }

static int never(void) { return 0; }

/* Take one line apart: its port, its path and its headers. */
static void read_line(Client *c, char *line) {
    char *rest = line, *port = strsep(&rest, "\t"), *path = strsep(&rest, "\t"), *header;
    if (!path || !(c->port = (uint16_t)atoi(port))) die("each client is a line with a port, a path, and headers");
    static char request[REQUEST_BYTES];
    int length = sprintf(request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n", path, port);
    while ((header = strsep(&rest, "\t"))) length += sprintf(request + length, "%s\r\n", header);
    strcpy(request + length, "\r\n");
    if (!(c->request = strdup(request))) die("out of memory");
}

static void read_clients(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) die("cannot read the file of clients");
    clients = calloc(CLIENTS_LIMIT, sizeof *clients);
    if (!clients) die("out of memory");
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, file)) {
        if (total == CLIENTS_LIMIT) die("too many clients; 20000 are the limit");
        line[strcspn(line, "\n")] = 0;
        read_line(&clients[total++], line);
    }
    fclose(file);
}

static void open_all(void) {
    int64_t start = now();
    double cpu = cpu_seconds();
    serve(all_opened, start + wait_limit, 0);
    printf("{\"opened\":%d,\"failed\":%d,\"refusal\":%d,\"seconds\":%.6f,\"cpu\":%.6f,", opened, total - opened, refusal,
           (double)(now() - start) / 1e9, cpu_seconds() - cpu);
    print_latency();
    printf("}\n");
    fflush(stdout);
}

static void expect(int count) {
    expected = count;
    complete = event_count = 0;
    sample_count = delivered = repeats = bytes_read = 0;
    for (int i = 0; i < total; i++) clients[i].events = 0;
    printf("\"expecting\"\n");
    fflush(stdout);
    double cpu = cpu_seconds();
    last_read = now();
    serve(all_delivered, now() + wait_limit, 0);
    printf("{\"delivered\":%ld,\"expected\":%ld,\"repeats\":%ld,\"dropped\":%d,\"bytes\":%ld,\"cpu\":%.6f,",
           delivered, (int64_t)count * opened, repeats, dropped, bytes_read, cpu_seconds() - cpu);
    print_events();
    print_latency();
    printf("}\n");
    fflush(stdout);
}

/* Read one command; the pipe brings whole lines. Returns 0 at the end. */
static int obey(void) {
    char line[64] = {0};
    if (read(STDIN_FILENO, line, sizeof line - 1) <= 0) return 0;
    int count;
    if (sscanf(line, "expect %d", &count) != 1 || count < 1 || count > EVENTS_LIMIT) return 0;
    expect(count);
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 2) die("usage: load CLIENTS [IN-FLIGHT] [SECONDS]");
    if (argc > 2) in_flight_limit = atoi(argv[2]);
    if (argc > 3) wait_limit = (int64_t)atoi(argv[3]) * 1000000000;
    prepare(&head_end), prepare(&first_frame), prepare(&marker);
    read_clients(argv[1]);
    samples = malloc(SAMPLES_LIMIT * sizeof *samples);
    epoll = epoll_create1(0);
    struct epoll_event watch = {.events = EPOLLIN, .data.ptr = NULL};
    if (!samples || epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &watch)) die("standard input must be a pipe");
    open_all();
    while (serve(never, now() + wait_limit, 1) && obey()) {
    }
    return 0;
}
