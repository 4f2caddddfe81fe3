// clocksrc: raw yuv420p frames in real time on standard output, each carrying the wall clock of its making.
// usage: clocksrc WIDTH HEIGHT FPS SECONDS | ffmpeg -f rawvideo -pix_fmt yuv420p -s WxH -r FPS -i - …
// The clock is a strip of 48 black and white blocks over the top twelfth of the picture: 44 bits of Unix time in milliseconds, most
// significant first, then 4 bits of checksum (the sum of the 11 nibbles, mod 16). glass.mjs reads it back from a <video> and subtracts
// it from the browser's clock. Below the strip a texture moves sideways, so that the encoder has work as with a real picture.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: clocksrc WIDTH HEIGHT FPS SECONDS\n");
    return 2;
  }
  int w = atoi(argv[1]), h = atoi(argv[2]);
  double fps = atof(argv[3]), seconds = atof(argv[4]);
  if (w < 48 || h < 24 || w % 2 || h % 2 || fps <= 0) return 2;
  int strip = h / 12, block = w / 48, tw = w * 2;
  uint8_t *noise = malloc((size_t)tw * h), *texture = malloc((size_t)tw * h), *frame = malloc((size_t)w * h * 3 / 2);
  if (!noise || !texture || !frame) return 1;
  srand(1);
  for (int i = 0; i < tw * h; i++) noise[i] = 60 + rand() % 130;
  // Each point is the mean of four neighbours: texture that survives encoding.
  for (int y = 0; y < h; y++)
    for (int x = 0; x < tw; x++) {
      int up = (y + h - 1) % h, left = (x + tw - 1) % tw, far = (x + tw - 2) % tw;
      texture[y * tw + x] = (noise[y * tw + x] + noise[y * tw + left] + noise[up * tw + x] + noise[y * tw + far]) / 4;
    }
  memset(frame + w * h, 128, (size_t)w * h / 2);
  double start = now();
  for (long i = 0; i < fps * seconds; i++) {
    double wait = start + i / fps - now();
    if (wait > 0) {
      struct timespec t = {(time_t)wait, (long)((wait - (time_t)wait) * 1e9)};
      nanosleep(&t, 0);
    }
    int shift = (int)(i * 3 % w);
    for (int y = strip; y < h; y++) memcpy(frame + y * w, texture + y * tw + shift, w);
    uint64_t ms = (uint64_t)(now() * 1e3), sum = 0;
    for (int k = 0; k < 11; k++) sum += ms >> 4 * k & 15;
    uint64_t word = ms << 4 | (sum & 15);
    memset(frame, 16, (size_t)w * strip);
    for (int b = 0; b < 48; b++)
      if (word >> (47 - b) & 1)
        for (int y = 0; y < strip; y++) memset(frame + y * w + b * block, 235, block);
    if (fwrite(frame, (size_t)w * h * 3 / 2, 1, stdout) != 1 || fflush(stdout)) break;
  }
  return 0;
}
