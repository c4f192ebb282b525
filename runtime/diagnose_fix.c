/* The commands that mend, complete, quoted for a POSIX shell. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/diagnose_impl.h"
#include "runtime/ops/book_impl.h"
#include "runtime/text_impl.h"

/* A word for the shell, in quotes where it needs them. */
static void put_word(tonnx__text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
    if (*word && !word[strspn(word, plain)]) {
        tonnx__text_put(text, " %s", word);
        return;
    }
    tonnx__text_put(text, " '");
    for (; *word; word++) tonnx__text_put(text, *word == '\'' ? "'\\''" : "%c", *word);
    tonnx__text_put(text, "'");
}

/* A file, which is no option where its name begins like one. */
static void put_file(tonnx__text *text, const char *path)
{
    tonnx__text file = { 0 };
    tonnx__text_put(&file, "%s%s", *path == '-' && path[1] ? "./" : "", path);
    if (file.status) text->status = file.status;
    else put_word(text, file.at);
    tonnx__free(file.at);
}

/* A name as a glob that means itself. */
static void put_layer(tonnx__text *text, const char *name)
{
    tonnx__text glob = { 0 };
    for (; *name; name++) tonnx__text_put(&glob, strchr("*?[]\\", *name) ? "\\%c" : "%c", *name);
    tonnx__text_put(text, " --layer");
    if (glob.status) text->status = glob.status;
    else put_word(text, glob.at ? glob.at : "");
    tonnx__free(glob.at);
}

/* mlp.onnx → mlp-fixed.onnx → mlp-fixed-2.onnx, in the present folder. */
static void put_out(tonnx__text *text, const tonnx_diagnose_options *o)
{
    char name[512], *end = NULL;
    const char *base = strrchr(o->model, '/');
    if (o->out) {
        tonnx__text_put(text, " -o");
        put_file(text, o->out);
        return;
    }
    snprintf(name, sizeof name - 32, "%s", strcmp(o->model, "-") != 0 ? (base ? base + 1 : o->model) : "model");
    const size_t length = strlen(name);
    if (length > 5 && !strcmp(name + length - 5, ".onnx")) name[length - 5] = '\0';
    char *fixed = strstr(name, "-fixed");
    unsigned long times = fixed ? 2 : 1;
    if (fixed && fixed[6] == '-') times = strtoul(fixed + 7, &end, 10) + 1;
    if (fixed) *fixed = '\0';
    snprintf(name + strlen(name), 32, times > 1 ? "-fixed-%lu.onnx" : "-fixed.onnx", times);
    tonnx__text_put(text, " -o");
    put_file(text, name);
}

static void put_init(tonnx__text *text, const tonnx__case *c)
{
    tonnx__text_put(text, "tonnx init");
    put_file(text, c->options->model);
}

static void put_init_layers(tonnx__text *text, const tonnx__case *c, const tonnx__finding *f)
{
    put_init(text, c);
    for (size_t d = 0; d < c->dense_count; d++)
        if (f->found[d]) put_layer(text, c->net->params[c->net->layers[c->dense[d].layer].weight].name);
    if (f->layer) put_layer(text, f->layer);
}

/* The last layer at a tenth of its usual size; for numbers, its bias at their mean. */
static void put_small(tonnx__text *text, const tonnx__case *c)
{
    const char *name = NULL;
    bool biased = false;
    for (size_t d = 0; d < c->dense_count; d++) {
        const tonnx__layer *layer = &c->net->layers[c->dense[d].layer];
        if (c->dense[d].head) name = c->net->params[layer->weight].name, biased = layer->bias >= 0;
    }
    put_init(text, c);
    put_layer(text, name);
    tonnx__text_put(text, " --scheme glorot-uniform --gain 0.1");
    if (biased && isfinite(c->stats->target_mean) && c->stats->loss_kind != TONNX_BCE)
        tonnx__text_put(text, " --bias constant:%.6g", c->stats->target_mean);
}

/* Which data, but for the option `but` (NULL: none) and its value. */
static void put_data(tonnx__text *text, const tonnx__case *c, const char *but)
{
    for (const char *const *word = c->options->data; word && word[0] && word[1]; word += 2) {
        if (but && !strcmp(word[0], but)) continue;
        put_word(text, word[0]);
        put_word(text, word[1]);
    }
}

static void put_train(tonnx__text *text, const tonnx__case *c, const char *but)
{
    tonnx__text_put(text, "tonnx train");
    put_file(text, c->options->model);
    put_data(text, c, but);
    if (c->options->loss) tonnx__text_put(text, " --loss %s", c->options->loss);
}

/* As many steps as let the old running statistics fade to a hundredth. */
static void put_running(tonnx__text *text, const tonnx__case *c, const tonnx__finding *f)
{
    const double momentum = fmin(fmax(f->momentum, 0.5), 0.999);
    put_train(text, c, NULL);
    tonnx__text_put(text, " --optimizer sgd --lr 0 --batch %zu --steps %.0f",
                    c->stats->samples < 256 ? c->stats->samples : (size_t)256, ceil(log(0.01) / log(momentum)));
}

/* "tonnx new 784-128-10 --act tanh": the same widths, from the start. */
static void put_new(tonnx__text *text, const tonnx__case *c)
{
    const tonnx__layer *act = NULL;
    char name[64] = "none";
    int head = -1;
    tonnx__net_logits(c->net, &head);
    tonnx__text_put(text, "tonnx new %zu", c->net->values[c->net->input].features);
    for (size_t d = 0; d < c->dense_count; d++) {
        tonnx__text_put(text, "-%.0f", c->dense[d].fan_out);
        if (!act && !c->dense[d].head && c->dense[d].act >= 0) act = &c->net->layers[c->dense[d].act];
    }
    if (act) tonnx__activation_text((tonnx_activation)act->act, act->a, act->b, name, sizeof name);
    tonnx__text_put(text, " --act %s", name);
    if (head >= 0)
        tonnx__text_put(text, " --output-act %s",
                        c->net->layers[head].kind == TONNX__LAYER_SOFTMAX ? "softmax" : "sigmoid");
}

static void put_command(tonnx__text *text, const tonnx__case *c, const tonnx__finding *f)
{
    switch (f->cure) {
    case TONNX__CURE_LAYERS:
        put_init_layers(text, c, f);
        return;
    case TONNX__CURE_ALL:
        put_init(text, c);
        return;
    case TONNX__CURE_SMALL:
        put_small(text, c);
        return;
    case TONNX__CURE_BATCH:
    case TONNX__CURE_PLAIN:
        put_new(text, c);
        if (f->cure == TONNX__CURE_BATCH) tonnx__text_put(text, " --norm batch");
        return;
    case TONNX__CURE_LSUV:
        put_init(text, c);
        tonnx__text_put(text, " --scheme lsuv");
        put_data(text, c, NULL);
        return;
    case TONNX__CURE_RUNNING:
        put_running(text, c, f);
        return;
    case TONNX__CURE_SCALE:
    case TONNX__CURE_TRAIN:
    case TONNX__CURE_RATE:
        put_train(text, c, f->cure == TONNX__CURE_SCALE ? "--scale" : NULL);
        if (f->cure == TONNX__CURE_SCALE) tonnx__text_put(text, " --scale standard");
        if (f->cure == TONNX__CURE_RATE) {
            tonnx_optimizer_info row;
            tonnx_optimizer_describe(c->stats->optimizer, &row);
            tonnx__text_put(text, " --optimizer %s --lr %g", row.name, f->rate);
        }
        return;
    }
}

tonnx_status tonnx__fix(char **out, const tonnx__case *c, const tonnx__finding *f)
{
    tonnx__text text = { 0 };
    put_command(&text, c, f);
    put_out(&text, c->options);
    *out = text.at;
    if (!text.status) return TONNX_OK;
    tonnx__free(text.at);
    *out = NULL;
    return text.status;
}
