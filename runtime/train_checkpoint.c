/* Trainer ↔ checkpoint: a state taken out, a run taken up again where model, data and options are the same. */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "runtime/train_impl.h"

/* Off the device; after a step that was left, what the guard had kept is it, which a stop need not wait for. */
static tonnx_status take_state(tonnx__image *out, tonnx_trainer *trainer)
{
    if (!trainer->back) return tonnx__state_read(trainer->state, out, TONNX__ALL_ARENAS);
    *out = trainer->guarded;
    trainer->guarded = (tonnx__image){ 0 };
    trainer->back = false;
    return TONNX_OK;
}

static tonnx_status fill(tonnx_checkpoint *c, tonnx_trainer *trainer)
{
    tonnx_status status = tonnx__strdup(&c->backend, trainer->backend->kind->name);
    if (!status) status = tonnx__strdup(&c->device, tonnx__backend_device(trainer->backend));
    if (!status) status = tonnx__options_text(&c->options, trainer);
    if (!status) status = take_state(&c->state, trainer);
    if (!status && tonnx__image_not_finite(&c->state, trainer->state)) status = tonnx__diverged(trainer, "the update");
    if (!status) status = tonnx__image_copy(&c->best, &trainer->best);
    c->model = trainer->prints[0];
    c->data = trainer->prints[1];
    c->validation = trainer->prints[2];
    c->total_steps = trainer->total_steps;
    c->progress = trainer->at;
    return status;
}

/* Fingerprints of data cost a pass over it, so they wait until somebody asks. */
static void fingerprint_data(tonnx_trainer *trainer)
{
    if (trainer->prints[1]) return;
    trainer->prints[1] = tonnx__fingerprint_data(trainer->data);
    trainer->prints[2] = tonnx__fingerprint_data(trainer->options.validation);
}

tonnx_status tonnx_trainer_checkpoint(tonnx_checkpoint **out, tonnx_trainer *trainer)
{
    tonnx_checkpoint *checkpoint = NULL;
    *out = NULL;
    tonnx_status status = tonnx__alloc(&checkpoint, 1, sizeof *checkpoint);
    if (status) return status;
    fingerprint_data(trainer);
    status = fill(checkpoint, trainer);
    if (status) tonnx_checkpoint_free(checkpoint);
    else *out = checkpoint;
    return status;
}

tonnx_status tonnx__train_keep(tonnx_trainer *trainer)
{
    tonnx_checkpoint *now = NULL;
    if (!trainer->options.checkpoint) return TONNX_OK;
    const tonnx_status status = tonnx_trainer_checkpoint(&now, trainer);
    if (status) return status;
    tonnx_checkpoint_free(trainer->good);
    trainer->good = now;
    return TONNX_OK;
}

tonnx_status tonnx__train_hand(tonnx_trainer *trainer)
{
    const tonnx_train_options *o = &trainer->options;
    const tonnx__progress *at = &trainer->at;
    if (!o->checkpoint) return TONNX_OK;
    const bool every_steps = o->checkpoint_steps && at->step % o->checkpoint_steps == 0;
    const bool every_epochs = o->checkpoint_epochs && !at->step_in_epoch && at->epoch % o->checkpoint_epochs == 0;
    const bool last = at->step == trainer->total_steps || tonnx__is_out_of_patience(trainer);
    if (!every_steps && !every_epochs && !last && at->step_in_epoch) return TONNX_OK;
    const tonnx_status status =
        tonnx__train_keep(trainer); /* every epoch's end is kept, whether or not it is handed out */
    return status || !(every_steps || every_epochs || last) ? status : o->checkpoint(o->checkpoint_user, trainer->good);
}

/* The line at *text, which moves on to the next one; its first word's length into *name. */
static size_t next_line(const char **text, const char **line, size_t *name)
{
    const size_t length = strcspn(*text, "\n");
    *line = *text;
    *name = strcspn(*line, " \n");
    *text += length + ((*text)[length] == '\n');
    return length;
}

static const char *path_of(const tonnx_checkpoint *c)
{
    return c->path ? c->path : "the checkpoint";
}

/* Option for option, so that the message can name the first that differs. */
static tonnx_status compare_options(const tonnx_checkpoint *c, const char *now)
{
    const char *then = c->options;
    const char *a, *b;
    size_t a_name, b_name;
    while (*then && *now) {
        const size_t a_length = next_line(&then, &a, &a_name), b_length = next_line(&now, &b, &b_name);
        if (a_length == b_length && !memcmp(a, b, a_length)) continue;
        if (a_name != b_name || memcmp(a, b, a_name) != 0) break;
        return tonnx__fail(TONNX_BAD_USAGE,
                           "%s: was made with %.*s%s%.*s, this run has %.*s: resume with the same options "
                           "(epochs, steps, threads, logs and checkpoints may differ)",
                           path_of(c), (int)a_name, a, a_length > a_name ? "" : " unset", (int)(a_length - a_name),
                           a + a_name, b_length > b_name ? (int)(b_length - b_name - 1) : 5,
                           b_length > b_name ? b + b_name + 1 : "unset");
    }
    if (!*then && !*now) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_USAGE, "%s: lists other options than this version of tonnx has", path_of(c));
}

/* Device texts without what results do not depend on: the number of threads, a part of its own between commas. */
static bool same_device(const char *a, const char *b)
{
    while (*a && *b) {
        const size_t m = strcspn(a, ","), n = strcspn(b, ",");
        const bool threads = memmem(a, m, " thread", 7) && memmem(b, n, " thread", 7);
        if (!threads && (m != n || memcmp(a, b, m) != 0)) return false;
        a += m + (a[m] == ',');
        b += n + (b[n] == ',');
    }
    return *a == *b;
}

static tonnx_status compare(tonnx_trainer *trainer, const tonnx_checkpoint *c)
{
    char *options = NULL;
    fingerprint_data(trainer);
    if (c->model != trainer->prints[0])
        return tonnx__fail(TONNX_BAD_USAGE, "%s: was made with another model than %s: resume with the same, scaled the same way", path_of(c),
                           trainer->net->model->path);
    if (c->data != trainer->prints[1])
        return tonnx__fail(TONNX_BAD_USAGE, "%s: was made with other training data, or another seed that divides it: resume with the same",
                           path_of(c));
    if (c->validation != trainer->prints[2])
        return tonnx__fail(TONNX_BAD_USAGE, "%s: was made with other validation data: resume with the same",
                           path_of(c));
    if (strcmp(c->backend, trainer->backend->kind->name) != 0)
        return tonnx__fail(TONNX_BAD_USAGE, "%s: was made on backend %s, this run has %s: resume on the same",
                           path_of(c), c->backend, trainer->backend->kind->name);
    tonnx_status status = tonnx__options_text(&options, trainer);
    if (!status) status = compare_options(c, options);
    tonnx__free(options);
    return status;
}

/* Numbers that would lead out of the data, or out of the arenas: no run of ours leaves them. */
static tonnx_status check_range(const tonnx_trainer *trainer, const tonnx_checkpoint *c)
{
    const tonnx__progress *at = &c->progress;
    const bool kept = at->best_epoch > 0;
    if (at->batch >= trainer->pass_steps || at->step_in_epoch > trainer->steps_per_epoch ||
        !tonnx__image_fits(&c->state, &trainer->state->layout, TONNX__ALL_ARENAS) ||
        !tonnx__image_fits(&c->best, &trainer->state->layout, kept ? TONNX__MODEL_ARENAS : 0))
        return tonnx__fail(TONNX_BAD_MODEL, "%s: contradicts itself: its parts are not of this run", path_of(c));
    if (at->step > trainer->total_steps)
        return tonnx__fail(TONNX_BAD_USAGE,
                           "%s: is at step %llu, beyond the %llu steps of this run: raise --epochs or --steps",
                           path_of(c), (unsigned long long)at->step, (unsigned long long)trainer->total_steps);
    return TONNX_OK;
}

static void warn(const tonnx_trainer *trainer, const tonnx_checkpoint *c)
{
    const tonnx_train_options *o = &trainer->options;
    const char *device = tonnx__backend_device(trainer->backend);
    const bool fed_by_total = o->schedule == TONNX_SCHEDULE_linear || o->schedule == TONNX_SCHEDULE_cosine ||
                              o->schedule == TONNX_SCHEDULE_one_cycle;
    if (!same_device(c->device, device))
        tonnx__say(&o->log, TONNX_LOG_WARNING,
                   "%s: was made on '%s', this is '%s': the last bits may differ from a run without a break",
                   path_of(c), c->device, device);
    if (fed_by_total && c->total_steps != trainer->total_steps)
        tonnx__say(&o->log, TONNX_LOG_WARNING,
                   "schedule %s was for %llu steps in all and is now for %llu: rates go on from another curve",
                   tonnx_schedule_name(o->schedule), (unsigned long long)c->total_steps,
                   (unsigned long long)trainer->total_steps);
}

tonnx_status tonnx__train_resume(tonnx_trainer *trainer, const tonnx_checkpoint *checkpoint)
{
    tonnx_status status = compare(trainer, checkpoint);
    if (!status) status = check_range(trainer, checkpoint);
    if (!status) status = tonnx__state_write(trainer->state, &checkpoint->state);
    if (!status) status = tonnx__image_copy(&trainer->best, &checkpoint->best);
    if (status) return status;
    trainer->at = checkpoint->progress;
    warn(trainer, checkpoint);
    tonnx__say(&trainer->options.log, TONNX_LOG_INFO, "goes on after step %llu of %llu",
               (unsigned long long)trainer->at.step, (unsigned long long)trainer->total_steps);
    return TONNX_OK;
}
