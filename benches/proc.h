// What the load tools share: time, and what the kernel says of a server's process and of cores.
#pragma once
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// CPU seconds of all living threads, as the scheduler counts them.
static double cpu_of(int pid) {
  char path[320], line[128];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  double seconds = 0;
  for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, entry->d_name);
    FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (!file) continue;
    if (fgets(line, sizeof line, file)) seconds += strtoull(line, NULL, 10) / 1e9;
    fclose(file);
  }
  if (tasks) closedir(tasks);
  return seconds;
}

static long resident_kb(int pid) {
  char path[64], line[256];
  long kb = -1;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  while (file && kb < 0 && fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld", &kb);
  if (file) fclose(file);
  return kb;
}

// The first core that a process may run on.
static int core_of(int pid) {
  char path[64], line[256];
  int core = 0;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "Cpus_allowed_list: %d", &core) == 1) break;
  if (file) fclose(file);
  return core;
}

struct ticks { double idle, all; };

// A core's clock ticks so far, idle and all (proc(5)).
static struct ticks ticks_of(int core) {
  char line[512], name[16];
  struct ticks ticks = {0, 0};
  snprintf(name, sizeof name, "cpu%d ", core);
  FILE *file = fopen("/proc/stat", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, strlen(name))) continue;
    char *at = line + strlen(name);
    for (int i = 0; i < 8; i++) {
      double value = strtod(at, &at);
      ticks.all += value;
      if (i == 3 || i == 4) ticks.idle += value;
    }
    break;
  }
  if (file) fclose(file);
  return ticks;
}

// The part of the time between two looks that a core was busy.
static double busy(struct ticks before, struct ticks after) {
  double all = after.all - before.all;
  return all > 0 ? 1 - (after.idle - before.idle) / all : 0;
}

static void all_files(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
