/* Checkpoints: a run that is taken up again comes to the bits of the run without a break; what does not fit is refused,
 * and so is every cut and every flipped bit; a run that is killed leaves one that loads. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/checkpoint.h"
#include "runtime/checkpoint_impl.h"
#include "runtime/train.h"
#include "tests/graphs.h"
#include "tests/scratch.h"

/* What a case trains: a net with batch norm and dropout or a plain one, and data with a validation part. */
typedef struct bed {
    tonnx_model *model;
    tonnx_dataset *data, *held;
    tonnx_train_options options;
} bed;

static tonnx_model *net(bool rich)
{
    tonnx_model *model = NULL;
    ck_ok(tonnx__model_new(&model, 17, 7, 3));
    graph_dense(model, "input", "fc1", 7, 11);
    graph_node(model, "Relu", "fc1", rich ? "r" : "h");
    if (rich) {
        graph_tensor(model, "scale", 0, 11, 0.5, 1.5);
        graph_tensor(model, "shift", 0, 11, -0.5, 0.5);
        graph_tensor(model, "mean", 0, 11, -0.5, 0.5);
        graph_tensor(model, "var", 0, 11, 0.5, 1.5);
        graph_node(model, "BatchNormalization", "r scale shift mean var", "n");
        graph_node(model, "Dropout", "n", "h");
    }
    graph_dense(model, "h", "output", 11, 3);
    return model;
}

enum { SGD, ADAM, PLATEAU, PIECES, BEST, REFERENCE, KINDS };

/* 60 samples in batches of 8: 8 steps a pass, the last of 4 rows. */
static bed bed_make(int kind)
{
    bed b = { net(kind != SGD), graph_data(60, 7, 3, 0), graph_data(20, 7, 3, 0), TONNX_TRAIN_OPTIONS_DEFAULT };
    tonnx_train_options *o = &b.options;
    o->batch = 8;
    o->epochs = kind == PLATEAU ? 60 : 5;
    o->rate = kind == PLATEAU ? 0.1 : 0.01;
    o->optimizer = kind == SGD ? TONNX_SGD : TONNX_ADAM;
    o->momentum = kind == SGD ? 0.9 : TONNX_NAN;
    o->backend = kind == REFERENCE ? "reference" : "cpu";
    o->threads = 1;
    if (kind == PLATEAU) o->schedule = TONNX_SCHEDULE_plateau, o->patience = 14;
    if (kind == PIECES) o->steps_per_epoch = 5, o->epochs = 7, o->warmup = 20;
    o->best = kind == BEST;
    o->validation = kind == PLATEAU || kind == BEST ? b.held : NULL;
    return b;
}

static void bed_clear(bed *b)
{
    tonnx_model_free(b->model);
    tonnx_dataset_free(b->data);
    tonnx_dataset_free(b->held);
}

static tonnx_trainer *begin(const bed *b, const tonnx_checkpoint *resume, int threads)
{
    tonnx_trainer *trainer = NULL;
    tonnx_train_options options = b->options;
    options.resume = resume;
    options.threads = threads;
    ck_ok(tonnx_trainer_new(&trainer, b->model, b->data, &options));
    return trainer;
}

static void finish(bed *b, tonnx_trainer *trainer)
{
    ck_ok(tonnx_trainer_run(trainer));
    ck_assert(tonnx_trainer_done(trainer));
    ck_ok(tonnx_trainer_pull(trainer, b->model));
    tonnx_trainer_free(trainer);
}

/* A checkpoint after `steps` steps, through a file. */
static tonnx_checkpoint *checkpoint_after(const bed *b, uint64_t steps)
{
    tonnx_checkpoint *made = NULL, *loaded = NULL;
    tonnx_trainer *trainer = begin(b, NULL, 1);
    for (uint64_t i = 0; i < steps; i++) ck_ok(tonnx_trainer_step(trainer));
    ck_ok(tonnx_trainer_checkpoint(&made, trainer));
    ck_ok(tonnx_checkpoint_save(made, scratch_path("run.ckpt")));
    ck_ok(tonnx_checkpoint_load(&loaded, scratch_path("run.ckpt")));
    tonnx_checkpoint_free(made);
    tonnx_trainer_free(trainer);
    return loaded;
}

static void same_tensors(const tonnx_model *a, const tonnx_model *b)
{
    ck_assert_uint_eq(a->tensor_count, b->tensor_count);
    for (size_t t = 0; t < a->tensor_count; t++) {
        const tonnx__tensor *x = &a->tensors[t], *y = &b->tensors[t];
        const size_t size = x->count * tonnx_dtype_size(x->dtype);
        ck_assert_msg(!memcmp(x->fresh ? x->fresh : x->bytes, y->fresh ? y->fresh : y->bytes, size), "%s differs",
                      x->name);
    }
}

/* Every kind at three points: in the first epoch, at an epoch's end, in a later one; the second half on two threads. */
START_TEST(goes_on_bit_for_bit)
{
    static const uint64_t points[] = { 3, 16, 29 };
    bed whole = bed_make(_i);
    finish(&whole, begin(&whole, NULL, 1));
    for (int p = 0; p < 3; p++) {
        bed broken = bed_make(_i);
        tonnx_checkpoint *c = checkpoint_after(&broken, points[p]);
        tonnx_checkpoint_info info;
        tonnx_checkpoint_describe(c, &info);
        ck_assert_uint_eq(info.step, points[p]);
        tonnx_trainer *trainer = begin(&broken, c, 2);
        tonnx_checkpoint_free(c);
        finish(&broken, trainer);
        same_tensors(whole.model, broken.model);
        bed_clear(&broken);
    }
    bed_clear(&whole);
}
END_TEST

/* A total that ended within an epoch can be raised, and a checkpoint of the very end still gives its model. */
START_TEST(longer_than_planned)
{
    bed whole = bed_make(_i), parts = bed_make(_i);
    finish(&whole, begin(&whole, NULL, 1));
    parts.options.steps = 19;
    tonnx_checkpoint *c = checkpoint_after(&parts, 18);
    parts.options.steps = 0;
    finish(&parts, begin(&parts, c, 1));
    same_tensors(whole.model, parts.model);
    tonnx_checkpoint_free(c);
    bed_clear(&parts);
    bed_clear(&whole);
}
END_TEST

/* The checkpoints that a run hands out: how many, and the last one. */
typedef struct shelf {
    tonnx_checkpoint *last;
    uint64_t steps[64];
    size_t count;
} shelf;

static tonnx_status shelve(void *user, const tonnx_checkpoint *checkpoint)
{
    shelf *s = user;
    tonnx_checkpoint_free(s->last);
    ck_ok(tonnx_checkpoint_save(checkpoint, scratch_path("handed.ckpt")));
    ck_ok(tonnx_checkpoint_load(&s->last, scratch_path("handed.ckpt")));
    s->steps[s->count++ % 64] = checkpoint->progress.step;
    return TONNX_OK;
}

static void hand_to(bed *b, shelf *s)
{
    *s = (shelf){ 0 };
    b->options.checkpoint = shelve;
    b->options.checkpoint_user = s;
}

START_TEST(hands_out_in_time)
{
    static const uint64_t by_steps[] = { 7, 14, 19 }, by_epochs[] = { 16, 19 };
    bed b = bed_make(ADAM);
    shelf s;
    hand_to(&b, &s);
    b.options.steps = 19; /* 8 steps an epoch */
    if (_i) b.options.checkpoint_epochs = 2;
    else b.options.checkpoint_steps = 7;
    finish(&b, begin(&b, NULL, 1));
    ck_assert_uint_eq(s.count, _i ? 2 : 3);
    for (size_t i = 0; i < s.count; i++) ck_assert_uint_eq(s.steps[i], _i ? by_epochs[i] : by_steps[i]);

    bed whole = bed_make(ADAM), longer = bed_make(ADAM); /* the last one stands within an epoch: a longer run goes on */
    finish(&longer, begin(&longer, s.last, 1));
    finish(&whole, begin(&whole, NULL, 1));
    same_tensors(whole.model, longer.model);
    bed again = bed_make(ADAM); /* and the same total gives the same model */
    again.options.steps = 19;
    finish(&again, begin(&again, s.last, 1));
    same_tensors(b.model, again.model);
    tonnx_checkpoint_free(s.last);
    bed_clear(&again);
    bed_clear(&longer);
    bed_clear(&whole);
    bed_clear(&b);
}
END_TEST

/* Doubles where floats were. */
static void widen(tonnx__image *image)
{
    for (int a = 0; a < TONNX__STATE_ARENAS; a++) {
        tonnx__image wide = { 0 };
        if (!image->counts[a]) continue;
        ck_ok(tonnx__image_room(&wide, (tonnx__arena)a, image->counts[a], TONNX__F64));
        for (size_t i = 0; i < image->counts[a]; i++) ((double *)wide.values[a])[i] = tonnx__image_at(image, (tonnx__arena)a, i);
        tonnx__free(image->values[a]);
        image->values[a] = wide.values[a];
        image->numbers[a] = TONNX__F64;
    }
}

/* A file may say either, whatever the backend holds: it is taken up, and what is kept later is of the backend's kind again. */
START_TEST(either_kind_of_numbers)
{
    bed whole = bed_make(BEST), half = bed_make(BEST);
    tonnx_checkpoint *c = checkpoint_after(&half, 13), *loaded = NULL;
    ck_assert(c->best.counts[TONNX__ARENA_PARAM] && c->best.numbers[TONNX__ARENA_PARAM] == TONNX__F32);
    widen(&c->state);
    widen(&c->best);
    ck_ok(tonnx_checkpoint_save(c, scratch_path("wide.ckpt")));
    ck_ok(tonnx_checkpoint_load(&loaded, scratch_path("wide.ckpt")));
    ck_assert(loaded->best.numbers[TONNX__ARENA_PARAM] == TONNX__F64);
    tonnx_checkpoint_free(c);
    finish(&whole, begin(&whole, NULL, 1));
    tonnx_trainer *trainer = begin(&half, loaded, 1);
    ck_ok(tonnx_trainer_run(trainer));
    ck_ok(tonnx_trainer_checkpoint(&c, trainer));
    ck_assert(c->best.numbers[TONNX__ARENA_PARAM] == TONNX__F32 && c->state.numbers[TONNX__ARENA_PARAM] == TONNX__F32);
    finish(&half, trainer);
    same_tensors(whole.model, half.model);
    tonnx_checkpoint_free(c);
    tonnx_checkpoint_free(loaded);
    bed_clear(&whole);
    bed_clear(&half);
}
END_TEST

/* The last checkpoint of a run that ended early, or with its best weights, gives the same model. */
START_TEST(end_is_repeatable)
{
    bed b = bed_make(_i), again = bed_make(_i);
    shelf s;
    hand_to(&b, &s);
    finish(&b, begin(&b, NULL, 1));
    finish(&again, begin(&again, s.last, 1));
    same_tensors(b.model, again.model);
    tonnx_checkpoint_free(s.last);
    bed_clear(&again);
    bed_clear(&b);
}
END_TEST

/* Where patience ends, the model is that of a run that stopped at the best epoch. */
START_TEST(best_weights)
{
    bed b = bed_make(PLATEAU), shorter = bed_make(PLATEAU);
    shelf s;
    hand_to(&b, &s);
    b.options.schedule = shorter.options.schedule = TONNX_SCHEDULE_constant;
    b.options.patience = 4;
    finish(&b, begin(&b, NULL, 1));
    const uint64_t best = s.last->progress.best_epoch;
    ck_assert_uint_eq(s.last->progress.epoch, best + 4);
    ck_assert_uint_lt(s.last->progress.epoch, 60);
    shorter.options.patience = 0;
    shorter.options.epochs = best;
    finish(&shorter, begin(&shorter, NULL, 1));
    same_tensors(b.model, shorter.model);
    tonnx_checkpoint_free(s.last);
    bed_clear(&shorter);
    bed_clear(&b);
}
END_TEST

/* An epoch of other length moves only what happens at its end. */
START_TEST(steps_per_epoch)
{
    bed plain = bed_make(ADAM), pieces = bed_make(ADAM);
    plain.options.epochs = 5;
    pieces.options.epochs = 8;
    pieces.options.steps_per_epoch = 5;
    finish(&plain, begin(&plain, NULL, 1));
    finish(&pieces, begin(&pieces, NULL, 1));
    same_tensors(plain.model, pieces.model);
    bed_clear(&plain);
    bed_clear(&pieces);
}
END_TEST

static void refuses(const bed *b, const tonnx_checkpoint *c, tonnx_status status, const char *text)
{
    tonnx_trainer *trainer = NULL;
    tonnx_train_options options = b->options;
    options.resume = c;
    ck_fails(tonnx_trainer_new(&trainer, b->model, b->data, &options), status, text);
    ck_assert_ptr_null(trainer);
}

START_TEST(refuses_other_runs)
{
    bed b = bed_make(ADAM), other = bed_make(SGD);
    tonnx_checkpoint *c = checkpoint_after(&b, 11);
    const bed good = b;
    b.model = other.model, refuses(&b, c, TONNX_BAD_USAGE, "another model"), b = good;
    b.data = b.held, refuses(&b, c, TONNX_BAD_USAGE, "other training data"), b = good;
    b.options.validation = b.held, refuses(&b, c, TONNX_BAD_USAGE, "other validation data"), b = good;
    b.options.backend = "reference", refuses(&b, c, TONNX_BAD_USAGE, "backend cpu, this run has reference"), b = good;
    b.options.rate = 0.02, refuses(&b, c, TONNX_BAD_USAGE, "made with lr 0.01, this run has 0.02"), b = good;
    b.options.seed = 1, refuses(&b, c, TONNX_BAD_USAGE, "made with seed 0, this run has 1"), b = good;
    b.options.batch = 9, refuses(&b, c, TONNX_BAD_USAGE, "batch 8, this run has 9"), b = good;
    b.options.optimizer = TONNX_RMSPROP, refuses(&b, c, TONNX_BAD_USAGE, "optimizer adam, this"), b = good;
    b.options.dropout = false, refuses(&b, c, TONNX_BAD_USAGE, "dropout yes, this run has no"), b = good;
    b.options.freeze = (const char *const[]){ "fc1.*", "shift", NULL };
    refuses(&b, c, TONNX_BAD_USAGE, "freeze unset, this run has fc1.* shift"), b = good;
    b.options.steps = 10, refuses(&b, c, TONNX_BAD_USAGE, "beyond the 10 steps"), b = good;
    b.options.epochs = 2, b.options.log_every = 1, b.options.backend = "auto"; /* these may differ */
    finish(&b, begin(&b, c, 2));
    tonnx_checkpoint_free(c);
    bed_clear(&other);
    bed_clear(&b);
}
END_TEST

/* Parts that no run of ours writes: they must not lead out of the data or the arenas. */
START_TEST(refuses_contradictions)
{
    bed b = bed_make(ADAM);
    tonnx_checkpoint *c = checkpoint_after(&b, 11);
    const tonnx_checkpoint good = *c;
    c->progress.batch = 8, refuses(&b, c, TONNX_BAD_MODEL, "contradicts"), *c = good;
    c->progress.batch = UINT64_MAX, refuses(&b, c, TONNX_BAD_MODEL, "contradicts"), *c = good;
    c->progress.step_in_epoch = 9, refuses(&b, c, TONNX_BAD_MODEL, "contradicts"), *c = good;
    c->progress.best_epoch = 1, refuses(&b, c, TONNX_BAD_MODEL, "contradicts"), *c = good;
    c->state.counts[TONNX__ARENA_MOMENT2] = 0, refuses(&b, c, TONNX_BAD_MODEL, "contradicts"), *c = good;
    c->state.counts[TONNX__ARENA_STATIC]--, refuses(&b, c, TONNX_BAD_MODEL, "contradicts"), *c = good;
    c->options[strlen(c->options) / 2] = '\0', refuses(&b, c, TONNX_BAD_USAGE, "options");
    c->options[0] = '\0', refuses(&b, c, TONNX_BAD_USAGE, "other options");
    tonnx_checkpoint_free(c);
    bed_clear(&b);
}
END_TEST

START_TEST(refuses_every_cut_and_flip)
{
    bed b = bed_make(BEST);
    tonnx_checkpoint *c = checkpoint_after(&b, 9);
    size_t size = 0, refused = 0;
    unsigned char *bytes = scratch_read(scratch_path("run.ckpt"), &size);
    tonnx_checkpoint_free(c);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *exact = malloc(cut ? cut : 1); /* so that a read beyond the end is one beyond the allocation */
        memcpy(exact, bytes, cut);
        refused += tonnx_checkpoint_read(&c, exact, cut, "cut") == TONNX_BAD_MODEL && !c;
        free(exact);
    }
    ck_assert_uint_eq(refused, size);
    for (size_t bit = refused = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        refused += tonnx_checkpoint_read(&c, bytes, size, "flipped") == TONNX_BAD_MODEL && !c;
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    ck_assert_uint_eq(refused, 8 * size);
    ck_ok(tonnx_checkpoint_read(&c, bytes, size, "whole"));
    tonnx_checkpoint_free(c);
    ck_fails(tonnx_checkpoint_load(&c, scratch_text("text", "epoch 1")), TONNX_BAD_MODEL, "text: not a checkpoint");
    ck_fails(tonnx_checkpoint_load(&c, scratch_path("none")), TONNX_IO_FAILED, "none: cannot be opened");
    ck_fails(tonnx_checkpoint_load(&c, scratch_folder), TONNX_IO_FAILED, "a folder");
    free(bytes);
    bed_clear(&b);
}
END_TEST

/* Divergence hands out the last state that was finite. */
START_TEST(keeps_the_last_good_state)
{
    bed b = bed_make(SGD);
    tonnx_trainer *trainer = NULL;
    shelf s;
    hand_to(&b, &s);
    b.options.rate = 1e30;
    b.options.checkpoint_epochs = 100;
    ck_ok(tonnx_trainer_new(&trainer, b.model, b.data, &b.options));
    ck_fails(tonnx_trainer_run(trainer), TONNX_DIVERGED, "is not finite");
    ck_assert_uint_eq(s.count, 1);
    ck_assert_uint_eq(s.last->progress.step, 0);
    tonnx_checkpoint_free(s.last);
    tonnx_trainer_free(trainer);
    bed_clear(&b);
}
END_TEST

/* One step whose update overflows: no loss tells of it, the numbers do. */
START_TEST(last_update_is_looked_at)
{
    bed b = bed_make(SGD);
    tonnx_trainer *trainer = NULL;
    b.options.rate = 1e300;
    b.options.steps = 1;
    ck_ok(tonnx_trainer_new(&trainer, b.model, b.data, &b.options));
    ck_fails(tonnx_trainer_run(trainer), TONNX_DIVERGED, "tensor 'fc1.weight' is not");
    tonnx_trainer_free(trainer);
    bed_clear(&b);
}
END_TEST

static tonnx_status disk_full(void *user, const tonnx_checkpoint *checkpoint)
{
    (void)user, (void)checkpoint;
    return TONNX_IO_FAILED;
}

START_TEST(a_failed_checkpoint_ends_the_run)
{
    bed b = bed_make(SGD);
    tonnx_trainer *trainer = NULL;
    b.options.checkpoint = disk_full;
    b.options.checkpoint_steps = 3;
    ck_ok(tonnx_trainer_new(&trainer, b.model, b.data, &b.options));
    ck_assert_int_eq(tonnx_trainer_run(trainer), TONNX_IO_FAILED);
    tonnx_trainer_free(trainer);
    bed_clear(&b);
}
END_TEST

/* A stop that comes while an epoch is validated leaves an epoch that is not closed; the run that goes on closes it. */
static void stop_at_end(void *user, const tonnx_event *event)
{
    if (event->kind == TONNX_EVENT_STEP && event->step == 16) tonnx_trainer_stop(*(tonnx_trainer **)user);
}

START_TEST(stopped_in_validation)
{
    bed whole = bed_make(BEST), b = bed_make(BEST);
    tonnx_trainer *trainer = NULL;
    tonnx_checkpoint *c = NULL;
    finish(&whole, begin(&whole, NULL, 1));
    b.options.event = stop_at_end;
    b.options.event_user = &trainer;
    b.options.log_every = 1;
    ck_ok(tonnx_trainer_new(&trainer, b.model, b.data, &b.options));
    ck_fails(tonnx_trainer_run(trainer), TONNX_INTERRUPTED, "stopped");
    ck_ok(tonnx_trainer_checkpoint(&c, trainer));
    ck_assert_uint_eq(c->progress.epoch, 1);
    ck_assert_uint_eq(c->progress.step_in_epoch, 8);
    tonnx_trainer_free(trainer);
    b.options.event = NULL;
    finish(&b, begin(&b, c, 1));
    same_tensors(whole.model, b.model);
    tonnx_checkpoint_free(c);
    bed_clear(&whole);
    bed_clear(&b);
}
END_TEST

/* Out of memory at every allocation in turn: nothing leaks, nothing is torn. */
START_TEST(out_of_memory)
{
    bed b = bed_make(BEST);
    tonnx_checkpoint *c = checkpoint_after(&b, 9);
    ck_ok(tonnx_checkpoint_save(c, scratch_path("kept.ckpt")));
    tonnx_status status = TONNX_NO_MEMORY;
    for (size_t nth = 1; status; nth++) {
        tonnx_checkpoint *loaded = NULL, *made = NULL;
        tonnx_trainer *trainer = NULL;
        tonnx_train_options options = b.options;
        tonnx__mem_fault(nth, true);
        status = tonnx_checkpoint_load(&loaded, scratch_path("kept.ckpt"));
        options.resume = loaded;
        if (!status) status = tonnx_trainer_new(&trainer, b.model, b.data, &options);
        if (!status) status = tonnx_trainer_epoch(trainer);
        if (!status) status = tonnx_trainer_checkpoint(&made, trainer);
        if (!status) status = tonnx_checkpoint_save(made, scratch_path("kept.ckpt"));
        tonnx__mem_fault(0, false);
        ck_assert_msg(!status || status == TONNX_NO_MEMORY, "%zu: %s", nth, tonnx_last_message());
        tonnx_checkpoint_free(loaded);
        tonnx_checkpoint_free(made);
        tonnx_trainer_free(trainer);
        ck_ok(tonnx_checkpoint_load(&loaded, scratch_path("kept.ckpt")));
        tonnx_checkpoint_free(loaded);
    }
    tonnx_checkpoint_free(c);
    bed_clear(&b);
}
END_TEST

static tonnx_status save_only(void *user, const tonnx_checkpoint *checkpoint)
{
    return tonnx_checkpoint_save(checkpoint, user);
}

/* A process that writes a checkpoint every step. */
static void train_for_ever(const char *path)
{
    bed b = bed_make(ADAM);
    tonnx_trainer *trainer = NULL;
    b.options.epochs = 1000000;
    b.options.checkpoint = save_only;
    b.options.checkpoint_user = (void *)path;
    b.options.checkpoint_steps = 1;
    if (!tonnx_trainer_new(&trainer, b.model, b.data, &b.options)) tonnx_trainer_run(trainer);
    _exit(1);
}

START_TEST(killed_at_any_moment)
{
    const char *path = scratch_path("killed.ckpt");
    uint64_t last = 0;
    for (int round = 0; round < 20; round++) {
        tonnx_checkpoint *c = NULL;
        const pid_t child = fork();
        if (!child) train_for_ever(path);
        while (access(path, R_OK)) usleep(1000);
        usleep((unsigned)(tonnx__rng_uniform(1, 9, (uint64_t)round) * 40000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        ck_ok(tonnx_checkpoint_load(&c, path));
        last += c->progress.step;
        tonnx_checkpoint_free(c);
    }
    ck_assert_uint_gt(last, 20); /* it did get somewhere */
}
END_TEST

static Suite *checkpoint_suite(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tcase = tcase_create("checkpoint");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_add_loop_test(tcase, goes_on_bit_for_bit, 0, KINDS);
    tcase_add_loop_test(tcase, longer_than_planned, 0, PLATEAU);
    tcase_add_loop_test(tcase, hands_out_in_time, 0, 2);
    tcase_add_loop_test(tcase, end_is_repeatable, 0, KINDS);
    tcase_add_test(tcase, either_kind_of_numbers);
    tcase_add_test(tcase, best_weights);
    tcase_add_test(tcase, steps_per_epoch);
    tcase_add_test(tcase, refuses_other_runs);
    tcase_add_test(tcase, refuses_contradictions);
    tcase_add_test(tcase, refuses_every_cut_and_flip);
    tcase_add_test(tcase, keeps_the_last_good_state);
    tcase_add_test(tcase, last_update_is_looked_at);
    tcase_add_test(tcase, a_failed_checkpoint_ends_the_run);
    tcase_add_test(tcase, stopped_in_validation);
    tcase_add_test(tcase, out_of_memory);
    tcase_add_test(tcase, killed_at_any_moment);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(checkpoint_suite());
}
