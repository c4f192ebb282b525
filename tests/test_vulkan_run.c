/* How the Vulkan backend runs: nothing waits between two read-backs, long steps go out in parts, data that does not fit is
 * sent as it is wanted, memory that is short is told of in sizes, and a lost device stays lost. Without a device: skipped,
 * in CI a failure. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/train_impl.h"
#include "trial_judge.h"

#include "graphs.h"
#include "vulkan/exec_impl.h"
#include "vulkan_suite.h"

enum { FEATURES = 97, SAMPLES = 4003 };

/* A batch norm, dropout and Adam in a net small enough for many steps a submit. */
static tonnx_model *mlp(void)
{
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 17, FEATURES, 10));
    graph_dense(model, "input", "fc1", FEATURES, 33);
    graph_tensor(model, "scale", 0, 33, 0.5, 1.5);
    graph_tensor(model, "shift", 0, 33, -0.5, 0.5);
    graph_tensor(model, "mean", 0, 33, -0.1, 0.1);
    graph_tensor(model, "var", 0, 33, 0.5, 1.5);
    graph_node(model, "BatchNormalization", "fc1 scale shift mean var", "bn");
    graph_node(model, "Relu", "bn", "h");
    graph_dense(model, "h", "output", 33, 10);
    return model;
}

/* What is changed of the backend before a run. */
typedef void tweak(tonnx__vk *vk);

/* What a run came to: all arenas, losses, and how it was run. */
typedef struct outcome {
    tonnx_status status;
    tonnx__image state;
    double loss;
    size_t kept, submits;
} outcome;

static outcome try(const char *backend, tweak *change, uint64_t steps)
{
    outcome out = { 0 };
    tonnx_trainer *trainer = NULL;
    tonnx_model *model = mlp();
    tonnx_dataset *data = graph_data(SAMPLES, FEATURES, 10, 0);
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    options.backend = backend;
    options.batch = 32;
    options.steps = steps;
    out.status = tonnx_trainer_new(&trainer, model, data, &options);
    if (!out.status && change) change((tonnx__vk *)trainer->backend);
    if (!out.status) out.status = tonnx_trainer_run(trainer);
    if (!out.status) out.status = tonnx__state_read(trainer->state, &out.state, TONNX__ALL_ARENAS);
    if (!out.status) {
        const tonnx__vk_exec *exec = (const tonnx__vk_exec *)trainer->execs[0];
        out.loss = tonnx_trainer_last_loss(trainer);
        out.kept = exec->kept ? exec->kept->samples : 0;
        out.submits = exec->submits;
    }
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
    return out;
}

static outcome train(const char *backend, tweak *change, uint64_t steps)
{
    const outcome out = try(backend, change, steps);
    ck_assert_msg(!out.status, "%s: %s", backend, tonnx_last_message());
    return out;
}

static void same_bits(outcome *a, outcome *b)
{
    ck_assert(a->loss == b->loss);
    for (int k = 0; k < TONNX__STATE_ARENAS; k++) {
        ck_assert_uint_eq(a->state.counts[k], b->state.counts[k]);
        const size_t bytes = a->state.counts[k] * tonnx__numbers_size(a->state.numbers[k]);
        if (bytes) ck_assert(!memcmp(a->state.values[k], b->state.values[k], bytes));
    }
    tonnx__image_clear(&b->state);
}

static void add_row(void *user, const tonnx_profile_row *row)
{
    double *sums = user;
    ck_assert(row->seconds >= 0 && row->waited == 0);
    sums[0] += row->seconds;
    sums[1] += (double)row->tiles * (row->program == 0);
    sums[2] += (double)row->meets * (row->program == 0);
}

/* Of the program's dispatches and barriers each is counted; losses cost one wait each time they are read, and nothing else
 * waits. */
START_TEST(nothing_waits_between_read_backs)
{
    tonnx_trainer *trainer = NULL;
    tonnx_profile profile;
    double sums[3] = { 0 };
    size_t barriers = 0;
    tonnx_model *model = mlp();
    tonnx_dataset *data = graph_data(SAMPLES, FEATURES, 10, 0);
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    options.backend = "vulkan";
    options.epochs = 6;
    options.profile = true;
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    ck_ok(tonnx_trainer_run(trainer));
    ck_ok(tonnx_trainer_profile(trainer, &profile, add_row, sums));
    const tonnx__vk_exec *exec = (const tonnx__vk_exec *)trainer->execs[0];
    for (size_t i = 0; i + 1 < exec->count; i++) barriers += exec->list[i].barrier;
    ck_assert_str_eq(profile.pieces, "dispatches");
    ck_assert(sums[0] > 0);
    ck_assert(sums[1] == (double)(exec->count - 1) && sums[2] == (double)barriers);
    ck_assert_uint_eq(profile.steps, 6 * 126);
    ck_assert_msg(profile.waits <= profile.reads, "%zu waits, %zu read-backs", (size_t)profile.waits,
                  (size_t)profile.reads);
    ck_assert_msg(profile.submits <= profile.reads, "%zu submits", (size_t)profile.submits);
    ck_assert(profile.reads < profile.steps && profile.handing > 0 && profile.handing + profile.ready < profile.backend);
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}
END_TEST

enum { TOLD = 12 };

typedef struct story {
    size_t steps;
    double loss[TOLD], norm[TOLD];
} story;

static void note(void *user, const tonnx_event *event)
{
    story *s = user;
    if (event->kind != TONNX_EVENT_STEP || s->steps == TOLD) return;
    s->loss[s->steps] = event->loss;
    s->norm[s->steps++] = event->grad_norm;
}

static void tell(const char *backend, story *s)
{
    tonnx_trainer *trainer = NULL;
    tonnx_model *model = mlp();
    tonnx_dataset *data = graph_data(SAMPLES, FEATURES, 10, 0);
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    *s = (story){ 0 };
    options.backend = backend;
    options.batch = 32;
    options.steps = TOLD;
    options.log_every = 1;
    options.log_grad_norm = true;
    options.event = note;
    options.event_user = s;
    ck_ok(tonnx_trainer_new(&trainer, model, data, &options));
    ck_ok(tonnx_trainer_run(trainer));
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
}

/* Of many steps in a submit each has its own loss and its own gradient's norm. */
START_TEST(every_step_tells_its_own_numbers)
{
    story wanted, told;
    tell("reference", &wanted);
    tell("vulkan", &told);
    ck_assert_uint_eq(told.steps, TOLD);
    for (size_t i = 0; i < TOLD; i++) {
        ck_near(told.loss[i], wanted.loss[i], 1e-4, 1e-4);
        ck_near(told.norm[i], wanted.norm[i], 1e-3, 1e-3);
    }
}
END_TEST

static void hurry(tonnx__vk *vk)
{
    vk->limits.submit = 1e-9;
}

/* A submit that may take no time holds a single workgroup. */
START_TEST(parts_of_a_step_make_the_same_bits)
{
    outcome whole = train("vulkan", NULL, 20), parts = train("vulkan", hurry, 20);
    ck_assert_msg(parts.submits > 20 * whole.submits, "%zu submits, %zu in parts", whole.submits, parts.submits);
    same_bits(&whole, &parts);
    tonnx__image_clear(&whole.state);
}
END_TEST

typedef struct alarm_clock {
    _Atomic bool rings;
} alarm_clock;

static void *ring_soon(void *user)
{
    usleep(20000);
    atomic_store(&((alarm_clock *)user)->rings, true);
    return NULL;
}

/* Steps that would take minutes are left at the next part; what runs afterwards is right. */
START_TEST(a_stop_comes_within_a_step)
{
    trial t;
    pthread_t thread;
    alarm_clock clock = { false };
    tonnx__record records[TONNX__MAX_STEPS];
    const size_t sizes[TONNX__STATE_ARENAS] = { 0 };
    tonnx__device_state *state = NULL;
    tonnx__exec *exec = NULL;
    tonnx__backend *vulkan = trial_open("vulkan", 0), *reference = trial_open("reference", 0);
    trial_begin(&t, 2048, 512, 5);
    ck_assert(make_GEMM(&t, 0));
    for (size_t s = 0; s < TONNX__MAX_STEPS; s++) records[s] = t.record;
    hurry((tonnx__vk *)vulkan);
    ck_ok(tonnx__device_state_new(&state, vulkan, sizes));
    ck_ok(tonnx__exec_new(&exec, state, t.program));
    tonnx__backend_heed(vulkan, &clock.rings);
    ck_assert(!pthread_create(&thread, NULL, ring_soon, &clock));
    const double begin = tonnx__now();
    ck_fails(tonnx__exec_run(exec, NULL, NULL, records, TONNX__MAX_STEPS), TONNX_INTERRUPTED, "within a step");
    ck_assert_msg(tonnx__now() - begin < 2, "%g s", tonnx__now() - begin);
    pthread_join(thread, NULL);
    tonnx__backend_heed(vulkan, NULL);
    tonnx__exec_free(exec);
    tonnx__device_state_free(state);
    trial_end(&t);
    check_variant(vulkan, reference, TONNX__GEMM, 7, 0, "after a stop");
    tonnx__backend_close(vulkan);
    tonnx__backend_close(reference);
}
END_TEST

static void keep_none(tonnx__vk *vk)
{
    vk->limits.resident = 0;
}

static void stream_in_parts(tonnx__vk *vk)
{
    vk->limits.submit = 1e-9;
    vk->limits.resident = 400000;
}

static void cut_data(tonnx__vk *vk)
{
    vk->limits.range = 65536;
}

/* Where all of the data lies, none of it, or some, in one piece or several: the same bits. */
START_TEST(streamed_data_makes_the_same_bits)
{
    static const struct {
        const char *backend;
        tweak *change;
        uint64_t steps;
        bool some;
    } ways[] = { { "vulkan", keep_none, 150, false },
                 { "vulkan:memory=5.6", NULL, 150, true },
                 { "vulkan", cut_data, 150, true },
                 { "vulkan:memory=5.6", cut_data, 150, true },
                 { "vulkan", stream_in_parts, 12, true } };
    outcome resident = train("vulkan", NULL, ways[_i].steps);
    outcome streamed = train(ways[_i].backend, ways[_i].change, ways[_i].steps);
    ck_assert_uint_eq(resident.kept, SAMPLES);
    ck_assert_msg((streamed.kept > 0) == ways[_i].some, "%zu kept", streamed.kept);
    if (ways[_i].change != cut_data || strlen(ways[_i].backend) > 6) ck_assert_uint_lt(streamed.kept, SAMPLES);
    same_bits(&resident, &streamed);
    tonnx__image_clear(&resident.state);
}
END_TEST

/* Before anything is taken: what is wanted, what there is. */
START_TEST(short_memory_is_told_in_sizes)
{
    ck_assert_int_eq(try("vulkan:memory=0.05", NULL, 1).status, TONNX_NO_MEMORY);
    ck_assert_msg(strstr(tonnx_last_message(), "the state (parameters, gradients, moments) wants 0.06 MiB; of the 0.05 MiB"),
                  "%s", tonnx_last_message());
    ck_assert_int_eq(try("vulkan:memory=4.03", NULL, 1).status, TONNX_NO_MEMORY);
    ck_assert_msg(strstr(tonnx_last_message(), "this process may use 4.03 and uses"), "%s", tonnx_last_message());
}
END_TEST

/* Whichever buffer finds no room: an error that says so, or, where it is data, fewer samples on the device and the same
 * bits. */
START_TEST(less_data_lies_where_there_is_less_room)
{
    enum { MORE_THAN_BUFFERS = 40 };
    size_t failed = 0, partly = 0;
    outcome resident = train("vulkan", NULL, 10);
    for (int n = 1; n <= MORE_THAN_BUFFERS; n++) {
        char name[40];
        snprintf(name, sizeof name, "vulkan:full=%d", n);
        outcome one = try(name, NULL, 10);
        failed += one.status != TONNX_OK;
        partly += !one.status && one.kept < SAMPLES;
        if (one.status) ck_assert_int_eq(one.status, TONNX_NO_MEMORY);
        else same_bits(&resident, &one);
    }
    ck_assert_uint_gt(failed, 5);
    ck_assert_uint_eq(partly, 2); /* the samples, the targets */
    tonnx__image_clear(&resident.state);
}
END_TEST

/* Whenever it comes, the loss ends the run with the one message, and nothing hangs. */
START_TEST(a_lost_device_ends_the_run)
{
    for (int n = 1; n < 60; n += 1 + n / 8) {
        char name[40];
        tonnx_trainer *trainer = NULL;
        tonnx_model *model = mlp();
        tonnx_dataset *data = graph_data(SAMPLES, FEATURES, 10, 0);
        tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
        snprintf(name, sizeof name, "vulkan:lost=%d", n);
        options.backend = name;
        options.epochs = 1000; /* two submits each, or more */
        tonnx_status status = tonnx_trainer_new(&trainer, model, data, &options);
        if (!status) status = tonnx_trainer_run(trainer);
        ck_assert_int_eq(status, TONNX_BAD_DEVICE);
        ck_assert_msg(strstr(tonnx_last_message(), "was lost"), "%s", tonnx_last_message());
        if (trainer) ck_fails(tonnx_trainer_pull(trainer, model), TONNX_BAD_DEVICE, "was lost");
        tonnx_trainer_free(trainer);
        tonnx_dataset_free(data);
        tonnx_model_free(model);
    }
}
END_TEST

/* The driver's threads that have a core of their own, and those cores. */
static size_t find_placed(cpu_set_t *cores)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry = NULL;
    CPU_ZERO(cores);
    while (folder && (entry = readdir(folder))) {
        cpu_set_t own;
        const pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0 || sched_getaffinity(thread, sizeof own, &own) || CPU_COUNT(&own) != 1) continue;
        CPU_OR(cores, cores, &own);
        count++;
    }
    if (folder) closedir(folder);
    return count;
}

/* A CPU's driver has its workers on all cores, if it has as many; the thread that opens it runs where it could, under its
 * own name. */
START_TEST(a_cpu_devices_threads_have_cores_of_their_own)
{
    char name[16], later_name[16];
    cpu_set_t allowed, later, cores;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    ck_assert_int_eq(prctl(PR_SET_NAME, "the caller"), 0);
    ck_assert_int_eq(prctl(PR_GET_NAME, name), 0);
    for (int round = 0; round < 2; round++) {
        tonnx__backend *backend = trial_open("vulkan", 0);
        const bool on_cpu = ((tonnx__vk *)backend)->card.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
        const size_t placed = find_placed(&cores);
        ck_assert_int_eq(sched_getaffinity(0, sizeof later, &later), 0);
        ck_assert(CPU_EQUAL(&later, &allowed));
        ck_assert_int_eq(prctl(PR_GET_NAME, later_name), 0);
        ck_assert_str_eq(name, later_name);
        if (CPU_COUNT(&allowed) > 1) ck_assert(placed == 0 || (on_cpu && CPU_EQUAL(&cores, &allowed)));
        ck_assert(!((tonnx__vk *)backend)->place.count || placed >= 2);
        tonnx__backend_close(backend);
    }
}
END_TEST

/* Linux says that a thread waited for its core: all are free for a while, then bound again. */
START_TEST(who_shares_a_core_goes_free)
{
    cpu_set_t cores;
    tonnx__backend *backend = trial_open("vulkan", 0);
    tonnx__vk_place *place = &((tonnx__vk *)backend)->place;
    const size_t placed = find_placed(&cores);
    for (size_t i = 0; i < place->count; i++) place->threads[i].ran -= 10000000000; /* so long that waits beside others are few */
    place->since -= 1.0;
    tonnx__vk_place_look(place);
    ck_assert_uint_eq(find_placed(&cores), placed);
    if (place->count) {
        place->threads[0].waited -= 1000000000;
        place->since -= 1.0;
        tonnx__vk_place_look(place);
        ck_assert(!place->bound && find_placed(&cores) == 0);
        tonnx__vk_place_look(place);
        ck_assert(!place->bound);
        place->since -= 10.0;
        tonnx__vk_place_look(place);
        ck_assert(place->bound && find_placed(&cores) == placed);
    }
    tonnx__backend_close(backend);
}
END_TEST

/* Who may use one core only has nothing to place. */
START_TEST(one_core_is_shared)
{
    cpu_set_t all, one, cores;
    ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t core = 0; core < CPU_SETSIZE && !CPU_COUNT(&one); core++)
        if (CPU_ISSET(core, &all)) CPU_SET(core, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    tonnx__backend *backend = trial_open("vulkan", 0);
    find_placed(&cores);
    ck_assert(CPU_EQUAL(&cores, &one));
    tonnx__backend_close(backend);
}
END_TEST

static Suite *run_suite_of(void)
{
    Suite *suite = suite_create("vulkan_run");
    TCase *tcase = tcase_create("run");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, nothing_waits_between_read_backs);
    tcase_add_test(tcase, every_step_tells_its_own_numbers);
    tcase_add_test(tcase, parts_of_a_step_make_the_same_bits);
    tcase_add_test(tcase, a_stop_comes_within_a_step);
    tcase_add_loop_test(tcase, streamed_data_makes_the_same_bits, 0, 5);
    tcase_add_test(tcase, short_memory_is_told_in_sizes);
    tcase_add_test(tcase, less_data_lies_where_there_is_less_room);
    tcase_add_test(tcase, a_lost_device_ends_the_run);
    tcase_add_test(tcase, a_cpu_devices_threads_have_cores_of_their_own);
    tcase_add_test(tcase, who_shares_a_core_goes_free);
    tcase_add_test(tcase, one_core_is_shared);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_on_vulkan(run_suite_of);
}
