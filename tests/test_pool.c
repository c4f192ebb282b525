/* The thread pool under stress; `tsan` looks at the same runs. */
#include "runtime/cpu/pool_impl.h"
#include "runtime/cpu/queue_impl.h"
#include "runtime/cpu/trial_impl.h"
#include <string.h>

#include "support.h"

#include <sched.h>
#include <unistd.h>

enum { ROUNDS = 50, CELLS = 64 };

typedef struct ring {
    tonnx__pool *pool;
    int cells[2][CELLS]; /* plain memory: the barrier alone orders it */
} ring;

/* Each thread writes its cells of one side from its neighbours' cells of the other. */
static void turn(void *arg, int thread)
{
    ring *r = arg;
    const int threads = tonnx__pool_threads(r->pool);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = thread; i < CELLS; i += threads)
            r->cells[(round + 1) % 2][i] = r->cells[round % 2][(i + 1) % CELLS] + 1;
        tonnx__pool_barrier(r->pool, NULL, NULL);
    }
}

START_TEST(barriers_order_memory)
{
    for (int threads = 1; threads <= 5; threads++) {
        ring r = { 0 };
        ck_ok(tonnx__pool_new(&r.pool, threads));
        for (int run = 1; run <= 20; run++) {
            tonnx__pool_run(r.pool, turn, &r);
            int wrong = 0;
            for (int i = 0; i < CELLS; i++) wrong += r.cells[0][i] != run * ROUNDS;
            ck_assert_int_eq(wrong, 0);
            if (run % 7 == 0) usleep(2000); /* long enough for the workers to fall asleep */
        }
        tonnx__pool_free(r.pool);
    }
}
END_TEST

enum { TILES = 400 };

/* Thread 0 has all tiles of every round, and does not end its first one before another thread has done some. */
typedef struct shop {
    tonnx__pool *pool;
    tonnx__queue queue;
    int done[TILES]; /* plain memory: the queue alone orders it */
    int wrong;       /* the owner's count */
    _Atomic int helped, rounds;
} shop;

static void do_others(void *arg, const void *work, size_t tile)
{
    shop *s = arg;
    ((int *)work)[tile]++;
    atomic_fetch_add(&s->helped, 1);
}

static void do_own(shop *s, size_t from)
{
    size_t tile;
    while (tonnx__queue_take(&s->queue, &tile)) {
        while (tile == from && !atomic_load(&s->helped)) sched_yield();
        s->done[tile]++;
    }
    tonnx__queue_close(&s->queue);
    for (size_t i = 0; i < TILES; i++) {
        s->wrong += s->done[i] != (i >= from);
        s->done[i] = 0;
    }
}

static void serve(void *arg, int thread)
{
    shop *s = arg;
    for (; thread == 0 && s->rounds < 4 * ROUNDS; s->rounds++) {
        const size_t from = (size_t)s->rounds % 7;
        atomic_store(&s->helped, 0);
        tonnx__queue_open(&s->queue, s->done, from, TILES);
        do_own(s, from);
    }
    while (atomic_load(&s->rounds) < 4 * ROUNDS)
        if (!tonnx__queue_help(&s->queue, do_others, s)) sched_yield();
}

START_TEST(every_tile_of_a_queue_is_done_once)
{
    for (int threads = 2; threads <= 5; threads++) {
        shop s = { 0 };
        ck_ok(tonnx__pool_new(&s.pool, threads));
        tonnx__pool_run(s.pool, serve, &s);
        ck_assert(s.rounds == 4 * ROUNDS && s.wrong == 0);
        tonnx__pool_free(s.pool);
    }
}
END_TEST

static bool help_out(void *arg)
{
    shop *s = arg;
    return tonnx__queue_help(&s->queue, do_others, s);
}

/* The last to come to the barrier has a queue, and waits until one of those who wait has taken from it. */
static void come_last(void *arg, int thread)
{
    shop *s = arg;
    if (thread == 0) do_own(s, 0);
    tonnx__pool_barrier(s->pool, help_out, s);
    tonnx__pool_barrier(s->pool, NULL, NULL);
}

START_TEST(who_waits_at_a_barrier_helps)
{
    shop s = { 0 };
    ck_ok(tonnx__pool_new(&s.pool, 3));
    for (int run = 1; run <= 100; run++) {
        atomic_store(&s.helped, 0);
        tonnx__queue_open(&s.queue, s.done, 0, TILES); /* so it is there, whoever comes first */
        tonnx__pool_run(s.pool, come_last, &s);
        ck_assert(s.wrong == 0 && s.helped > 0);
    }
    tonnx__pool_free(s.pool);
}
END_TEST

static void count_me(void *arg, int thread)
{
    ((int *)arg)[thread]++;
}

START_TEST(every_thread_works_once)
{
    int count[8] = { 0 };
    tonnx__pool *pool = NULL;
    ck_ok(tonnx__pool_new(&pool, 8));
    for (int run = 0; run < 200; run++) tonnx__pool_run(pool, count_me, count);
    tonnx__pool_free(pool);
    for (int i = 0; i < 8; i++) ck_assert_int_eq(count[i], 200);
}
END_TEST

START_TEST(a_pool_may_never_run)
{
    for (int i = 0; i < 50; i++) {
        tonnx__pool *pool = NULL;
        ck_ok(tonnx__pool_new(&pool, 1 + i % 4));
        tonnx__pool_free(pool);
    }
    tonnx__pool_free(NULL);
}
END_TEST

/* Runs of a program that takes so long by all threads and by one: how many of so many are by one. */
static int runs_alone(tonnx__trial *trial, int runs, double all, double one)
{
    int alone = 0;
    for (int run = 0; run < runs; run++) {
        const bool by_one = tonnx__trial_alone(trial);
        alone += by_one;
        tonnx__trial_ran(trial, by_one ? one : all);
    }
    return alone;
}

START_TEST(a_trial_takes_to_who_is_faster)
{
    tonnx__trial off = { 0 }, on = { .on = true };
    ck_assert_int_eq(runs_alone(&off, 100, 2, 1), 0);
    ck_assert_int_eq(runs_alone(&on, 32, 2, 1), 30);
    ck_assert_int_eq(runs_alone(&on, 64, 2, 1), 62); /* that was clear, so this round is longer */
    ck_assert_int_le(runs_alone(&on, 128, 1, 2), 2); /* it looks again each round */
    ck_assert_int_ge(runs_alone(&on, 256, 1.1, 1), 254);
    ck_assert_int_eq(runs_alone(&on, 32, 1, 1.1), 2); /* hardly different: the shortest again */
}
END_TEST

START_TEST(memory_may_run_out)
{
    for (size_t nth = 1; nth <= 2; nth++) {
        tonnx__pool *pool = NULL;
        tonnx__mem_fault(nth, false);
        ck_fails(tonnx__pool_new(&pool, 3), TONNX_NO_MEMORY, "memory");
        tonnx__mem_fault(0, false);
        ck_assert_ptr_null(pool);
    }
}
END_TEST

static Suite *pool_suite(void)
{
    Suite *suite = suite_create("pool");
    TCase *tcase = tcase_create("pool");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, barriers_order_memory);
    tcase_add_test(tcase, every_thread_works_once);
    tcase_add_test(tcase, every_tile_of_a_queue_is_done_once);
    tcase_add_test(tcase, who_waits_at_a_barrier_helps);
    tcase_add_test(tcase, a_trial_takes_to_who_is_faster);
    tcase_add_test(tcase, a_pool_may_never_run);
    tcase_add_test(tcase, memory_may_run_out);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(pool_suite());
}
