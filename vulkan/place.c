/* Where a driver's threads run whose device is the CPU: its workers on different cores.
 *
 * Such a driver (Mesa's lavapipe) has as many workers as there are cores. They meet at the end of each dispatch: all
 * sleep, and the thread that takes submits wakes them together for the next one, some 5,000 times a second. At that moment
 * it is at work on a core itself, so that Linux finds fewer cores free than there are workers, and puts one behind another.
 * There it stays, for seconds on end at times: two workers share a core, and each dispatch takes twice as long.
 *
 * So each is bound to a core, by turns: those of a pool are made one after the other, and get different ones wherever the
 * turn begins. The thread that takes submits is bound with them, which makes no difference. Where there are more cores than
 * threads, the scheduler does well by itself. It also does better where someone else uses a core, be it a second run:
 * a dispatch waits for the worker that is kept waiting there. A worker that is, goes free with all others for a while.
 *
 * A thread begins with its maker's name and affinity. What the driver makes while the calling thread bears the name below is
 * known by it, whatever else the process starts meanwhile; what the driver then names itself has other duties:
 * rasterising, writing caches. */
#define _GNU_SOURCE /* sched_setaffinity */
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "runtime/clock_impl.h"
#include "vulkan/place_impl.h"

static const char mark[TONNX__VK_NAME_SIZE] = "tonnx-vulkan";

/* s: how often a bound thread is looked at; how long it is free. The share of its time that it may have to wait. */
static const double LOOK = 0.25, FREE = 4.0, SHARE = 0.2;

/* A line of what Linux tells of a thread; empty where there is none. */
static void read_line(int thread, const char *what, char *to, int size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", thread, what);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(to, size, file)) to[0] = '\0';
    if (file) fclose(file);
    to[strcspn(to, "\n")] = '\0';
}

/* The marked threads that may run wherever this one may, in the order in which they were made: an earlier device's have
 * their cores. */
static void find_threads(tonnx__vk_place *place, const cpu_set_t *allowed)
{
    const struct dirent *entry = NULL;
    DIR *folder = opendir("/proc/self/task");
    while (folder && place->count < TONNX__VK_MAX_PLACED && (entry = readdir(folder))) {
        char name[TONNX__VK_NAME_SIZE + 1];
        const int thread = (int)strtol(entry->d_name, NULL, 10);
        cpu_set_t own;
        read_line(thread, "comm", name, sizeof name);
        if (thread > 0 && !strcmp(name, mark) && !sched_getaffinity(thread, sizeof own, &own) && CPU_EQUAL(&own, allowed))
            place->threads[place->count++].thread = thread;
    }
    if (folder) closedir(folder);
}

/* By turns to the cores that this thread may use, or all to all of them. */
static void bind_threads(tonnx__vk_place *place, bool bound)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) || !CPU_COUNT(&allowed)) return;
    for (size_t i = 0, core = 0; i < place->count; i++, core++) {
        while (!CPU_ISSET(core % CPU_SETSIZE, &allowed)) core++;
        CPU_ZERO(&one);
        CPU_SET(core % CPU_SETSIZE, &one);
        sched_setaffinity(place->threads[i].thread, sizeof one, bound ? &one : &allowed);
    }
    place->bound = bound;
    place->since = tonnx__now();
}

void tonnx__vk_place_begin(char *name)
{
    name[0] = '\0';
    if (!prctl(PR_GET_NAME, name, 0, 0, 0)) prctl(PR_SET_NAME, mark, 0, 0, 0);
}

void tonnx__vk_place_end(tonnx__vk_place *place, const char *name)
{
    cpu_set_t allowed;
    if (name[0]) prctl(PR_SET_NAME, name, 0, 0, 0);
    if (!name[0] || sched_getaffinity(0, sizeof allowed, &allowed) || CPU_COUNT(&allowed) < 2) return;
    find_threads(place, &allowed);
    if (place->count < (size_t)CPU_COUNT(&allowed)) place->count = 0;
    if (place->count) bind_threads(place, true);
}

/* Whether it has had to wait for its core since it was last looked at, more than now and then. */
static bool has_waited(tonnx__vk_placed *placed)
{
    char line[64];
    uint64_t ran = 0, waited = 0;
    read_line(placed->thread, "schedstat", line, sizeof line);
    if (sscanf(line, "%" SCNu64 " %" SCNu64, &ran, &waited) != 2) return false;
    const double ran_now = 1e-9 * (double)(ran - placed->ran), waited_now = 1e-9 * (double)(waited - placed->waited);
    placed->ran = ran;
    placed->waited = waited;
    return waited_now > SHARE * ran_now && ran_now + waited_now > 0.25 * LOOK;
}

void tonnx__vk_place_look(tonnx__vk_place *place)
{
    bool shared = false;
    if (!place->count || tonnx__now() - place->since < (place->bound ? LOOK : FREE)) return;
    for (size_t i = 0; i < place->count; i++) shared |= has_waited(&place->threads[i]);
    if (place->bound && !shared) place->since = tonnx__now();
    else bind_threads(place, !place->bound);
}
