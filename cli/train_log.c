#include "cli/train_log.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "cli/print.h"
#include "format/json.h"

static const double refresh = 0.1; /* s between two live lines */

int train_log_open(train_log *log, const char *path, bool go_on)
{
    log->path = path;
    log->file = strcmp(path, "-") != 0 ? fopen(path, go_on ? "a" : "w") : stdout;
    return log->file ? 0 : cli_io("--log %s: %s", path, strerror(errno));
}

int train_log_close(train_log *log, int code)
{
    FILE *file = log->file;
    log->file = NULL;
    if (!file) return code;
    if (fflush(file) && !log->error) log->error = errno;
    if (file != stdout && fclose(file) && !log->error) log->error = errno;
    if (code || !log->error) return code;
    return cli_io("--log %s: cannot be written: %s", log->path, strerror(log->error));
}

static void json_start(const train_log *log, const tonnx_event *event, tonnx_json *line)
{
    tonnx_json_string(line, "model", log->model);
    tonnx_json_string(line, "backend", event->backend);
    tonnx_json_string(line, "device", event->device);
    tonnx_json_integer(line, "parameters", (long long)event->parameters);
    tonnx_json_integer(line, "samples", (long long)event->samples);
    tonnx_json_integer(line, "seed", (long long)log->seed);
    tonnx_json_string(line, "loss", log->loss);
    tonnx_json_string(line, "optimizer", log->optimizer);
    tonnx_json_integer(line, "batch", (long long)log->batch);
    tonnx_json_integer(line, "epochs", (long long)event->total_epochs);
    tonnx_json_integer(line, "steps", (long long)event->total_steps);
    if (event->step) tonnx_json_integer(line, "resumed_after_step", (long long)event->step);
    tonnx_json_string(line, "version", TONNX_VERSION);
}

static void json_step(const tonnx_event *event, tonnx_json *line)
{
    tonnx_json_integer(line, "step", (long long)event->step);
    tonnx_json_integer(line, "epoch", (long long)event->epoch);
    tonnx_json_rounded(line, "loss", event->loss, JSON_FLOAT);
    tonnx_json_number(line, "lr", event->rate);
    tonnx_json_rounded(line, "grad_norm", event->grad_norm, JSON_FLOAT);
}

static void json_epoch(const tonnx_event *event, tonnx_json *line)
{
    tonnx_json_integer(line, "epoch", (long long)event->epoch);
    tonnx_json_rounded(line, "train_loss", event->train_loss, JSON_FLOAT);
    tonnx_json_rounded(line, "val_loss", event->val_loss, JSON_FLOAT);
    tonnx_json_rounded(line, "val_accuracy", event->val_accuracy, JSON_FLOAT);
    tonnx_json_rounded(line, "seconds", event->seconds, JSON_TIME);
    tonnx_json_rounded(line, "samples_per_second", event->samples_per_second, JSON_TIME);
}

static void json_weights(const tonnx_event *event, tonnx_json *line)
{
    tonnx_json *array = tonnx_json_add_array(line, "weights");
    for (size_t p = 0; p < event->stats->weight_count; p++) {
        const tonnx_weight_stats *weight = &event->stats->weights[p];
        tonnx_parameter_info info;
        tonnx_net_parameter(event->net, weight->parameter, &info);
        tonnx_json *object = tonnx_json_add_object(array, NULL);
        tonnx_json_string(object, "weight", info.name);
        tonnx_json_rounded(object, "mean", weight->values.mean, JSON_FLOAT);
        tonnx_json_rounded(object, "std", weight->values.std, JSON_FLOAT);
        tonnx_json_rounded(object, "rms", weight->values.rms, JSON_FLOAT);
        tonnx_json_rounded(object, "grad_rms", weight->gradient.rms, JSON_FLOAT);
        tonnx_json_rounded(object, "update_rms", weight->update_rms, JSON_FLOAT);
        tonnx_json_rounded(object, "update_ratio", weight->update_ratio, JSON_FLOAT);
    }
}

static void json_activations(const tonnx_event *event, tonnx_json *line)
{
    tonnx_json *array = tonnx_json_add_array(line, "activations");
    for (size_t i = 0; i < event->stats->layer_count; i++) {
        const tonnx_layer_stats *layer = &event->stats->layers[i];
        tonnx_layer_info info;
        tonnx_net_layer(event->net, layer->layer, &info);
        tonnx_json *object = tonnx_json_add_object(array, NULL);
        tonnx_json_string(object, "layer", info.name);
        tonnx_json_rounded(object, "mean", layer->after.mean, JSON_FLOAT);
        tonnx_json_rounded(object, "std", layer->after.std, JSON_FLOAT);
        tonnx_json_rounded(object, "before_std", layer->before.std, JSON_FLOAT);
        tonnx_json_rounded(object, "saturated", layer->saturated, JSON_FLOAT);
        tonnx_json_integer(object, "dead_units", (long long)layer->dead_units);
        tonnx_json_integer(object, "units", (long long)layer->units);
    }
}

/* Named as inspect --json names them; the loss and gradients are those of the samples that were measured. */
static void json_stats(const tonnx_event *event, tonnx_json *line)
{
    tonnx_json_integer(line, "step", (long long)event->step);
    tonnx_json_integer(line, "epoch", (long long)event->epoch);
    tonnx_json_integer(line, "samples", (long long)event->stats->samples);
    tonnx_json_rounded(line, "loss", event->stats->loss, JSON_FLOAT);
    tonnx_json_rounded(line, "grad_norm", event->stats->grad_norm, JSON_FLOAT);
    json_activations(event, line);
    json_weights(event, line);
}

static void json_end(const train_log *log, const tonnx_event *event, tonnx_json *line)
{
    tonnx_json_string(line, "status", tonnx_status_name(event->status));
    tonnx_json_integer(line, "steps", (long long)(event->step ? event->step : log->step));
    tonnx_json_rounded(line, "seconds", event->seconds, JSON_TIME);
}

static void write_json(train_log *log, const tonnx_event *event)
{
    static const char *const names[] = { "start", "step", "epoch", "end", "stats" }; /* in the order of tonnx_event_kind */
    tonnx_json *line = tonnx_json_object();
    tonnx_json_string(line, "event", names[event->kind]);
    switch (event->kind) {
    case TONNX_EVENT_START:
        json_start(log, event, line);
        break;
    case TONNX_EVENT_STEP:
        json_step(event, line);
        break;
    case TONNX_EVENT_EPOCH:
        json_epoch(event, line);
        break;
    case TONNX_EVENT_END:
        json_end(log, event, line);
        break;
    case TONNX_EVENT_STATS:
        json_stats(event, line);
        break;
    }
    char *text = tonnx_json_text(line, false);
    const bool failed = text && fprintf(log->file, "%s\n", text) < 0;
    /* whoever follows the file sees each epoch as it ends */
    if ((failed || (event->kind != TONNX_EVENT_STEP && fflush(log->file))) && !log->error) log->error = errno;
    tonnx_json_text_free(text);
    tonnx_json_free(line);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void show_step(train_log *log, const tonnx_event *event)
{
    const double time = now();
    const uint64_t before = log->steps_per_epoch * (event->epoch - 1);
    if (time - log->shown_at < refresh) return;
    print_live_line("epoch %s/%s  step %s/%s  loss %.4f  lr %.3g", print_count(event->epoch),
                    print_count(log->total_epochs), print_count(event->step - before),
                    print_count(log->steps_per_epoch), event->loss, event->rate);
    log->shown_at = time;
}

static void show_stats(train_log *log, const tonnx_event *event)
{
    const double time = now();
    train_watch_hear(log->watch, event);
    if (!print_is_live(stderr) || time - log->watched_at < refresh) return;
    print_live_clear();
    train_watch_clear(log->watch);
    train_watch_show(log->watch);
    log->watched_at = time;
}

static void show_epoch(train_log *log, const tonnx_event *event)
{
    print_live_clear();
    if (log->watch) train_watch_clear(log->watch);
    fprintf(stderr, "epoch %s/%s  loss %.4f", print_count(event->epoch), print_count(log->total_epochs),
            event->train_loss);
    if (!isnan(event->val_loss)) fprintf(stderr, "  val loss %.4f", event->val_loss);
    if (!isnan(event->val_accuracy)) fprintf(stderr, "  val accuracy %.4f", event->val_accuracy);
    fprintf(stderr, "  %.2f s  %s samples/s\n", event->seconds,
            print_count((uint64_t)fmax(0, event->samples_per_second)));
    if (log->watch) train_watch_show(log->watch);
}

static bool stands_in_file(const train_log *log, const tonnx_event *event)
{
    if (event->kind == TONNX_EVENT_STATS) return log->stats;
    return event->kind != TONNX_EVENT_STEP || (log->log_every && event->step % log->log_every == 0);
}

void train_log_event(void *user, const tonnx_event *event)
{
    train_log *log = user;
    if (log->file && stands_in_file(log, event)) write_json(log, event);
    if (log->report) report_run_hear(log->report, event);
    if (event->kind == TONNX_EVENT_START) {
        log->steps_per_epoch = event->steps_per_epoch;
        log->total_epochs = event->total_epochs;
    }
    if (event->kind == TONNX_EVENT_STEP) log->step = event->step;
    if (log->quiet) return;
    if (event->kind == TONNX_EVENT_STATS && log->watch) show_stats(log, event);
    if (event->kind == TONNX_EVENT_STEP) show_step(log, event);
    if (event->kind == TONNX_EVENT_EPOCH) show_epoch(log, event);
}

uint64_t train_log_step_interval(const train_log *log, size_t samples)
{
    const uint64_t steps = samples / (log->batch ? log->batch : 1);
    if (log->log_every || log->quiet || !print_is_live(stderr)) return log->log_every;
    return steps / 50 + 1;
}
