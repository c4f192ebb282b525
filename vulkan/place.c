/* Where a driver's threads run whose device is the CPU: its workers on different cores.
 *
 * Such a driver (Mesa's lavapipe) has as many workers as there are cores. They meet at the end of each dispatch: all
 * sleep, and the thread that takes submits wakes them together for the next one, some 5,000 times a second. At that moment
 * it is at work on a core itself, so that Linux finds fewer cores free than there are workers, and puts one behind another.
 * There it stays, for seconds on end at times: two workers share a core, and each dispatch takes twice as long.
 *
 * So where there is one for each core, each is bound to one, by turns: those of a pool are made one after the other, and get different ones wherever the
 * turn begins. The thread that takes submits is bound with them, which makes no difference. Where there are more cores than
 * threads, the scheduler does well by itself. It also does better where someone else uses a core, be it a second run:
 * a dispatch waits for the worker that is kept waiting there. A worker that is, goes free with all others for a while.
 *
 * A thread begins with its maker's name and affinity. What the driver makes while the calling thread bears the name below is
 * known by it, whatever else the process starts meanwhile, another device included; what the driver then names itself has
 * other duties: rasterising, writing caches. */
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

/* s: how often a bound thread is looked at; how long it is free. How long it may wait, of the time that it runs. */
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

static cpu_set_t cores_of(const tonnx__vk_place *place)
{
    cpu_set_t allowed;
    _Static_assert(sizeof allowed == sizeof place->allowed, "cores are kept as they are told");
    memcpy(&allowed, place->allowed, sizeof allowed);
    return allowed;
}

/* The marked threads, in the order in which they were made. */
static void find_threads(tonnx__vk_place *place)
{
    const struct dirent *entry = NULL;
    DIR *folder = opendir("/proc/self/task");
    while (folder && place->count < TONNX__VK_MAX_PLACED && (entry = readdir(folder))) {
        char name[TONNX__VK_NAME_SIZE + 1];
        const int thread = (int)strtol(entry->d_name, NULL, 10);
        read_line(thread, "comm", name, sizeof name);
        if (thread > 0 && !strcmp(name, place->mark)) place->threads[place->count++].thread = thread;
    }
    if (folder) closedir(folder);
}

/* By turns to the cores that there were for them, or all to all of these. */
static void bind_threads(tonnx__vk_place *place, bool bound)
{
    const cpu_set_t allowed = cores_of(place);
    cpu_set_t one;
    for (size_t i = 0, core = 0; i < place->count; i++, core++) {
        while (!CPU_ISSET(core % CPU_SETSIZE, &allowed)) core++;
        CPU_ZERO(&one);
        CPU_SET(core % CPU_SETSIZE, &one);
        sched_setaffinity(place->threads[i].thread, sizeof one, bound ? &one : &allowed);
    }
    place->bound = bound;
    place->since = tonnx__now();
}

void tonnx__vk_place_begin(tonnx__vk_place *place, char *name)
{
    static _Atomic unsigned opened;
    name[0] = '\0';
    snprintf(place->mark, sizeof place->mark, "tonnx-vk-%u", opened++ % 100000);
    if (!prctl(PR_GET_NAME, name, 0, 0, 0) && name[0]) prctl(PR_SET_NAME, place->mark, 0, 0, 0);
}

/* Whether Linux tells how long it ran and how long it waited for a core, ns. */
static bool read_times(int thread, uint64_t *ran, uint64_t *waited)
{
    char line[64];
    read_line(thread, "schedstat", line, sizeof line);
    return sscanf(line, "%" SCNu64 " %" SCNu64, ran, waited) == 2;
}

void tonnx__vk_place_end(tonnx__vk_place *place, const char *name)
{
    cpu_set_t allowed;
    if (name[0]) prctl(PR_SET_NAME, name, 0, 0, 0);
    if (!name[0] || sched_getaffinity(0, sizeof allowed, &allowed) || CPU_COUNT(&allowed) < 2) return;
    memcpy(place->allowed, &allowed, sizeof allowed);
    find_threads(place);
    bool told = place->count >= (size_t)CPU_COUNT(&allowed);
    for (size_t i = 0; told && i < place->count; i++)
        told = read_times(place->threads[i].thread, &place->threads[i].ran, &place->threads[i].waited);
    if (told) bind_threads(place, true);
    else place->count = 0;
}

/* Whether it has had to wait for its core since it was last looked at, more than now and then. */
static bool has_waited(tonnx__vk_placed *placed)
{
    uint64_t ran = 0, waited = 0;
    if (!read_times(placed->thread, &ran, &waited)) return false;
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
