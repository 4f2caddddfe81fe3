// rtmpload: many RTMP publishers that send the same FLV file, each in its own time: the file is cut into chunks once, and those bytes are
// sent as their stamps say. No encoder runs.
// usage: rtmpload PORT FILE SECONDS SERVER_PID   (a stream name a line on standard input, one publisher for each)
// Each begins STAGGER_MS after the one before, so their key frames do not come together. Prints one JSON line: what was sent in a window of
// SECONDS that opens when all have begun, how late bytes were taken by the server, CPU of the server, and how busy both cores were. Leaves
// with 1 when a publisher was refused or closed. The file has to be as long as all of it takes: nothing is sent twice.
#define _GNU_SOURCE
#include "proc.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STAGGER_MS = 20, SETTLE_S = 2, TICK_US = 2000, CHUNK = 4096, PUBLISHERS_MAX = 1000, HEAR_EVERY = 50 };
enum { SET_CHUNK_SIZE = 1, AUDIO = 8, SCRIPT = 18, COMMAND = 20 };

struct bytes { uint8_t *at; size_t length, room; };
// Where in the chunked file a tag ends, and when it is due, in ms from the start.
struct due { size_t end; double at; };

struct publisher {
  int fd, lost;
  double began;
  size_t sent, base, next;
};

static struct bytes media;
static struct due *dues;
static size_t due_count;
static struct publisher all[PUBLISHERS_MAX];
static double *late;
static size_t late_count, late_room;

static void put(struct bytes *to, const void *from, size_t length) {
  while (to->length + length > to->room) to->at = realloc(to->at, to->room = to->room ? to->room * 2 : 65536);
  memcpy(to->at + to->length, from, length);
  to->length += length;
}

static void put_number(struct bytes *to, uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; i--) put(to, &(uint8_t){value >> 8 * i}, 1);
}

// One message in chunks of `size` (RTMP 1.0 §5.3.1): a full header first, then headers of one byte. Stamps stay below 2^24.
static void put_message(struct bytes *to, int chunk_stream, uint32_t at, int kind, uint32_t stream, const uint8_t *body, size_t length, size_t size) {
  put_number(to, chunk_stream, 1);
  put_number(to, at, 3);
  put_number(to, length, 3);
  put_number(to, kind, 1);
  put(to, &stream, 4);
  for (size_t done = 0; done < length; done += size) {
    if (done) put_number(to, 0xC0 | chunk_stream, 1);
    put(to, body + done, length - done < size ? length - done : size);
  }
}

static void put_text(struct bytes *to, const char *text) {
  put_number(to, 2, 1);
  put_number(to, strlen(text), 2);
  put(to, text, strlen(text));
}

static void put_double(struct bytes *to, double value) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  put_number(to, 0, 1);
  put_number(to, bits, 8);
}

static void put_field(struct bytes *to, const char *name, const char *text) {
  put_number(to, strlen(name), 2);
  put(to, name, strlen(name));
  put_text(to, text);
}

// A command in AMF0 (§7.2): name, number, and an object or null; then what is left to say.
static void put_command(struct bytes *to, uint32_t stream, const char *name, double number, const char *url, const char *first, const char *second) {
  struct bytes body = {0};
  put_text(&body, name);
  put_double(&body, number);
  if (url) {
    put_number(&body, 3, 1);
    put_field(&body, "app", "live");
    put_field(&body, "type", "nonprivate");
    put_field(&body, "flashVer", "FMLE/3.0 (compatible; rtmpload)");
    put_field(&body, "tcUrl", url);
    put_number(&body, 9, 3);
  } else {
    put_number(&body, 5, 1);
  }
  if (first) put_text(&body, first);
  if (second) put_text(&body, second);
  put_message(to, 3, 0, COMMAND, stream, body.at, body.length, CHUNK);
  free(body.at);
}

// The file's tags (FLV, E.3) as they travel, and when each is due.
static int cut(const char *name) {
  FILE *file = fopen(name, "rb");
  uint8_t head[11];
  if (!file || fread(head, 1, 9, file) != 9 || memcmp(head, "FLV", 3)) return 0;
  fseek(file, 13, SEEK_SET);
  size_t room = 0;
  while (fread(head, 1, 11, file) == 11) {
    size_t length = head[1] << 16 | head[2] << 8 | head[3];
    uint32_t at = head[4] << 16 | head[5] << 8 | head[6];
    uint8_t *body = malloc(length + 4);
    if (fread(body, 1, length + 4, file) != length + 4) return 0;
    int kind = head[0] & 31;
    if (kind == SCRIPT) {
      struct bytes script = {0};
      put_text(&script, "@setDataFrame");
      put(&script, body, length);
      put_message(&media, 4, at, kind, 1, script.at, script.length, CHUNK);
      free(script.at);
    } else {
      put_message(&media, kind == AUDIO ? 4 : 6, at, kind, 1, body, length, CHUNK);
    }
    free(body);
    if (due_count == room) dues = realloc(dues, (room = room ? room * 2 : 4096) * sizeof *dues);
    // Interleaving is not exact: what comes later in the file is never due before.
    double due = at;
    if (due_count && dues[due_count - 1].at > due) due = dues[due_count - 1].at;
    dues[due_count++] = (struct due){media.length, due};
  }
  fclose(file);
  return due_count > 0;
}

// Connects, shakes hands (§5.2) and publishes; waits for the server's yes. -1 for anything else.
static int begin(int port, const char *name) {
  static uint8_t heard[65536];
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval patience = {.tv_sec = 5};
  int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  struct bytes say = {0};
  uint8_t hello[1537] = {3};
  for (int i = 9; i < 1537; i++) hello[i] = i * 31;
  put(&say, hello, sizeof hello);
  size_t held = 0;
  if (connect(fd, (void *)&server, sizeof server) || send(fd, say.at, say.length, MSG_NOSIGNAL) != (ssize_t)say.length) goto lost;
  for (ssize_t got; held < 3073; held += got)
    if ((got = recv(fd, heard + held, 3073 - held, 0)) <= 0) goto lost;
  say.length = 0;
  put(&say, heard + 1, 1536);
  uint8_t size[4] = {0, 0, CHUNK >> 8, CHUNK & 255};
  put_message(&say, 2, 0, SET_CHUNK_SIZE, 0, size, 4, 128);
  char url[64];
  snprintf(url, sizeof url, "rtmp://127.0.0.1:%d/live", port);
  put_command(&say, 0, "connect", 1, url, NULL, NULL);
  put_command(&say, 0, "releaseStream", 2, NULL, name, NULL);
  put_command(&say, 0, "FCPublish", 3, NULL, name, NULL);
  put_command(&say, 0, "createStream", 4, NULL, NULL, NULL);
  put_command(&say, 1, "publish", 5, NULL, name, "live");
  if (send(fd, say.at, say.length, MSG_NOSIGNAL) != (ssize_t)say.length) goto lost;
  held = 0;
  while (!memmem(heard, held, "NetStream.Publish.Start", 23)) {
    ssize_t got = held < sizeof heard ? recv(fd, heard + held, sizeof heard - held, 0) : 0;
    if (got <= 0) goto lost;
    held += got;
  }
  free(say.at);
  return fd;
lost:
  free(say.at);
  close(fd);
  return -1;
}

static void note_late(double ms) {
  if (late_count == late_room) late = realloc(late, (late_room = late_room ? late_room * 2 : 1 << 16) * sizeof *late);
  late[late_count++] = ms;
}

// Sends what is due; notes how late each tag was taken.
static void serve(struct publisher *publisher, int measuring) {
  double at = (now() - publisher->began) * 1e3;
  size_t due = publisher->next;
  while (due < due_count && dues[due].at <= at) due++;
  if (due == publisher->next) return;
  size_t end = dues[due - 1].end;
  ssize_t took = send(publisher->fd, media.at + publisher->sent, end - publisher->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (took < 0 && errno != EAGAIN) publisher->lost = 1;
  if (took > 0) publisher->sent += took;
  at = (now() - publisher->began) * 1e3;
  for (; publisher->next < due && dues[publisher->next].end <= publisher->sent; publisher->next++)
    if (measuring) note_late(at - dues[publisher->next].at);
}

// Throws away what the server says; it may have said that it is over.
static void hear(struct publisher *publisher) {
  static uint8_t scrap[65536];
  ssize_t got = recv(publisher->fd, scrap, sizeof scrap, MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN)) publisher->lost = 1;
}

static void turn(int count, int measuring) {
  static unsigned long turns;
  double began = now();
  for (int i = 0; i < count; i++) {
    if (!all[i].lost && (turns + i) % HEAR_EVERY == 0) hear(&all[i]);
    if (!all[i].lost) serve(&all[i], measuring);
  }
  turns++;
  double left = began + TICK_US / 1e6 - now();
  if (left > 0) usleep(left * 1e6);
}

int main(int argc, char **argv) {
  if (argc != 5 || !cut(argv[2])) {
    fprintf(stderr, "usage: rtmpload PORT FILE SECONDS SERVER_PID, stream names on standard input; FILE is FLV\n");
    return 2;
  }
  double seconds = atof(argv[3]);
  int port = atoi(argv[1]), pid = atoi(argv[4]), count = 0, lost = 0, server_core = core_of(pid), own_core = sched_getcpu();
  all_files();
  long before = resident_kb(pid);
  char name[1024];
  for (double next = now(); count < PUBLISHERS_MAX && fgets(name, sizeof name, stdin); next += STAGGER_MS / 1e3) {
    name[strcspn(name, "\r\n")] = 0;
    while (now() < next) turn(count, 0);
    int fd = begin(port, name);
    all[count++] = (struct publisher){.fd = fd, .lost = fd < 0, .began = now()};
  }
  if (!count) return 2;
  for (double until = now() + SETTLE_S; now() < until;) turn(count, 0);
  if ((now() - all[0].began + seconds) * 1e3 > dues[due_count - 1].at) {
    fprintf(stderr, "the file is too short for this\n");
    return 2;
  }
  for (int i = 0; i < count; i++) all[i].base = all[i].sent;
  double cpu = cpu_of(pid), opens = now();
  struct ticks server = ticks_of(server_core), own = ticks_of(own_core);
  while (now() < opens + seconds) turn(count, 1);
  double duration = now() - opens;
  cpu = cpu_of(pid) - cpu;
  double server_busy = busy(server, ticks_of(server_core)), own_busy = busy(own, ticks_of(own_core)), sent = 0, least = -1;
  for (int i = 0; i < count; i++) {
    double bytes = all[i].sent - all[i].base;
    sent += bytes;
    if (least < 0 || bytes < least) least = bytes;
    lost += all[i].lost;
  }
  qsort(late, late_count, sizeof *late, by_value);
  double gbit = sent * 8 / 1e9;
  printf("{\"publishers\":%d,\"lost\":%d,\"gbit\":%.3f,\"mbit_each\":%.3f,\"least_mbit\":%.3f,\"late_ms_p50\":%.2f,\"late_ms_p99\":%.2f,"
    "\"late_ms_max\":%.2f,\"server_cpu_s\":%.3f,\"cpu_s_per_gbit\":%.4f,\"server_core_busy\":%.3f,\"server_share\":%.3f,"
    "\"load_core_busy\":%.3f,\"rss_kb_before\":%ld,\"rss_kb\":%ld}\n",
    count, lost, gbit, gbit * 1e3 / count / duration, least * 8 / 1e6 / duration, late_count ? late[late_count / 2] : -1,
    late_count ? late[(size_t)(late_count * .99)] : -1, late_count ? late[late_count - 1] : -1, cpu, gbit > 0 ? cpu / gbit : -1, server_busy,
    cpu / duration, own_busy, before, resident_kb(pid));
  return lost > 0;
}
