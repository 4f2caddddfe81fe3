// wsload: a chat room full of WebSocket clients, some of whom speak; counts what everyone is sent, and how late it is.
// usage: wsload madang|socketio PORT ROOM CLIENTS SENDERS MESSAGES_PER_S SECONDS SERVER_PID
// With 0 messages a second nobody speaks: then the server's memory before and after the joining is what is measured.
// Prints one JSON line; leaves with 1 when a client was lost. Times of sending travel in the text, between two '@'.
#define _GNU_SOURCE
#include "proc.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RAMP_PER_S = 1000, SETTLE_S = 3, GIVE_UP_S = 120, FIRST_BUFFER = 1024 };
enum stage { UPGRADING, OPENING, JOINING, JOINED, LOST };

struct client {
  int fd;
  enum stage stage;
  uint8_t *buffer;
  size_t held, room;
};

static int is_madang, port, joined, lost;
static const char *room;
static double *delays;
static size_t delay_count, delay_room;
static int measuring;

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

// A browser's first visit: the cookie that lets it speak, as a header line.
static void visit(char *cookie, size_t size) {
  char answer[65536], ask[128];
  size_t held = 0;
  cookie[0] = 0;
  int fd = dial();
  if (fd < 0) return;
  int length = snprintf(ask, sizeof ask, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", port);
  if (send(fd, ask, length, MSG_NOSIGNAL) == length)
    for (ssize_t got; held < sizeof answer - 1 && (got = recv(fd, answer + held, sizeof answer - 1 - held, 0)) > 0;) held += got;
  close(fd);
  answer[held] = 0;
  char *found = strcasestr(answer, "\r\nset-cookie: ");
  if (!found) return;
  found += 14;
  snprintf(cookie, size, "Cookie: %.*s\r\n", (int)strcspn(found, ";\r\n"), found);
}

static int dial_socket(int speaks) {
  char cookie[512] = "", ask[1024];
  if (is_madang && speaks) visit(cookie, sizeof cookie);
  int fd = dial();
  if (fd < 0) return -1;
  int length = snprintf(ask, sizeof ask,
    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n%sConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n",
    is_madang ? "/ws" : "/socket.io/?EIO=4&transport=websocket", port, port, cookie);
  if (send(fd, ask, length, MSG_NOSIGNAL) == length) return fd;
  close(fd);
  return -1;
}

// One masked frame (RFC 6455 §5.2); a mask of zeros leaves the payload as it is.
static void put(int fd, int opcode, const char *payload, size_t length) {
  uint8_t frame[2048];
  size_t head = length < 126 ? 2 : 4;
  if (length > sizeof frame - 8) return;
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (length < 126 ? length : 126);
  if (head == 4) frame[2] = length >> 8, frame[3] = length;
  memset(frame + head, 0, 4);
  memcpy(frame + head + 4, payload, length);
  if (send(fd, frame, head + 4 + length, MSG_NOSIGNAL) < 0 && errno != EAGAIN) perror("send");
}

static void put_text(int fd, const char *text) { put(fd, 1, text, strlen(text)); }

static void join(struct client *client) {
  char text[256];
  snprintf(text, sizeof text, is_madang ? "{\"type\":\"join\",\"room\":\"%s\"}" : "42[\"join\",\"%s\"]", room);
  put_text(client->fd, text);
  client->stage = JOINING;
}

static void speak(struct client *client, unsigned long number) {
  char text[512];
  snprintf(text, sizeof text,
    is_madang ? "{\"type\":\"say\",\"room\":\"%s\",\"id\":\"m%lu\",\"text\":\"@%.9f@ a message of the usual length, as people write them\"}"
              : "42[\"say\",{\"room\":\"%s\",\"id\":\"m%lu\",\"text\":\"@%.9f@ a message of the usual length, as people write them\"}]",
    room, number, now());
  put_text(client->fd, text);
}

static void lose(struct client *client) {
  if (client->stage == JOINED) joined--;
  client->stage = LOST;
  close(client->fd);
  lost++;
}

static void count(const char *text, size_t length) {
  const char *end = text + length;
  for (const char *at = text; (at = memchr(at, '@', end - at));) {
    char *after;
    double sent = strtod(++at, &after);
    if (after >= end || *after != '@' || after == at) continue;
    at = after + 1;
    if (!measuring) continue;
    if (delay_count == delay_room) delays = realloc(delays, (delay_room = delay_room ? delay_room * 2 : 1 << 20) * sizeof *delays);
    delays[delay_count++] = (now() - sent) * 1e3;
  }
}

static void take_text(struct client *client, char *text, size_t length) {
  if (!is_madang && length == 1 && text[0] == '2') return put_text(client->fd, "3");
  if (client->stage == JOINED) return count(text, length);
  if (is_madang) {
    if (client->stage == OPENING && memmem(text, length, "\"hello\"", 7)) join(client);
    if (client->stage == JOINING && memmem(text, length, "\"type\":\"chat\"", 13)) client->stage = JOINED, joined++;
    return;
  }
  if (text[0] == '0') put_text(client->fd, "40");
  if (length > 1 && text[0] == '4' && text[1] == '0') join(client);
  if (client->stage == JOINING && memmem(text, length, "\"joined\"", 8)) client->stage = JOINED, joined++;
}

// Takes one frame from the buffer; how many bytes it was, or 0 when it is not whole yet.
static size_t take_frame(struct client *client, uint8_t *at, size_t held) {
  if (held < 2) return 0;
  size_t head = 2;
  uint64_t length = at[1] & 127;
  if (length >= 126) {
    size_t digits = length == 126 ? 2 : 8;
    if (held < head + digits) return 0;
    length = 0;
    for (size_t i = 0; i < digits; i++) length = length << 8 | at[head + i];
    head += digits;
  }
  if (held < head + length) return 0;
  switch (at[0] & 15) {
    case 1: take_text(client, (char *)at + head, length); break;
    case 8: lose(client); break;
    case 9: put(client->fd, 10, (char *)at + head, length); break;
  }
  return head + length;
}

static void take(struct client *client) {
  if (client->room - client->held < 512) client->buffer = realloc(client->buffer, (client->room = client->room ? client->room * 2 : FIRST_BUFFER) + 1);
  ssize_t got = recv(client->fd, client->buffer + client->held, client->room - client->held, MSG_DONTWAIT);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN) lose(client);
    return;
  }
  client->held += got;
  client->buffer[client->held] = 0;
  size_t used = 0;
  if (client->stage == UPGRADING) {
    uint8_t *end = memmem(client->buffer, client->held, "\r\n\r\n", 4);
    if (!end) return;
    if (memcmp(client->buffer, "HTTP/1.1 101", 12)) {
      if (!lost) fprintf(stderr, "%.200s\n", client->buffer);
      return lose(client);
    }
    used = end + 4 - client->buffer;
    client->stage = OPENING;
  }
  for (size_t frame; client->stage != LOST && (frame = take_frame(client, client->buffer + used, client->held - used)); used += frame) {}
  memmove(client->buffer, client->buffer + used, client->held -= used);
  if (client->held == 0 && client->room > FIRST_BUFFER) {
    free(client->buffer);
    client->buffer = NULL, client->room = 0;
  }
}

int main(int argc, char **argv) {
  if (argc != 9) {
    fprintf(stderr, "usage: wsload madang|socketio PORT ROOM CLIENTS SENDERS MESSAGES_PER_S SECONDS SERVER_PID\n");
    return 2;
  }
  is_madang = !strcmp(argv[1], "madang"), port = atoi(argv[2]), room = argv[3];
  int clients = atoi(argv[4]), senders = atoi(argv[5]), pid = atoi(argv[8]), opened = 0, epoll = epoll_create1(0);
  double rate = atof(argv[6]), seconds = atof(argv[7]), began = now(), ready = 0, opens = 0, next = 0, cpu = 0;
  all_files();
  struct client *all = calloc(clients, sizeof *all);
  unsigned long sent = 0;
  long before = resident_kb(pid);
  for (;;) {
    double time = now();
    while (opened < clients && opened < (time - began) * RAMP_PER_S + 1) {
      struct client *client = &all[opened];
      client->fd = dial_socket(opened < senders);
      opened++;
      if (client->fd < 0) { client->stage = LOST, lost++; continue; }
      struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
      epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
    }
    if (!ready && joined + lost >= clients) ready = time;
    if (!ready && time - began > GIVE_UP_S) { fprintf(stderr, "only %d of %d joined\n", joined, clients); return 1; }
    if (ready && !opens && time > ready + SETTLE_S) opens = next = time, cpu = cpu_of(pid), measuring = 1;
    if (opens && rate > 0)
      for (; time < opens + seconds && time >= next; next += 1 / rate, sent++)
        if (all[sent % senders].stage == JOINED) speak(&all[sent % senders], sent);
    if (opens && time > opens + seconds + 2) break;
    struct epoll_event events[512];
    int count = epoll_wait(epoll, events, 512, 2);
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      if (client->stage != LOST) take(client);
    }
  }
  cpu = cpu_of(pid) - cpu;
  qsort(delays, delay_count, sizeof *delays, by_value);
  double due = (double)sent * clients, p50 = -1, p99 = -1;
  if (delay_count) p50 = delays[delay_count / 2], p99 = delays[(size_t)(delay_count * .99)];
  struct rusage own;
  getrusage(RUSAGE_SELF, &own);
  printf("{\"clients\":%d,\"lost\":%d,\"sent\":%lu,\"delivered\":%zu,\"delivered_share\":%.4f,\"delay_ms_p50\":%.2f,\"delay_ms_p99\":%.2f,"
    "\"server_cpu_s\":%.3f,\"cpu_s_per_million\":%.2f,\"rss_kb_before\":%ld,\"rss_kb\":%ld,\"client_cpu_s\":%.2f}\n",
    clients, lost, sent, delay_count, due > 0 ? delay_count / due : 1, p50, p99, cpu, delay_count ? cpu * 1e6 / delay_count : -1, before,
    resident_kb(pid), own.ru_utime.tv_sec + own.ru_utime.tv_usec / 1e6 + own.ru_stime.tv_sec + own.ru_stime.tv_usec / 1e6);
  return lost > 0;
}
