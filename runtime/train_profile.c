/* Where a trainer's time goes: laps of its own clock, and what the backend measures of its instructions. */
#include <stdio.h>

#include "runtime/train_impl.h"

tonnx_status tonnx__train_profile(tonnx_trainer *trainer)
{
    tonnx_status status = TONNX_OK;
    for (int i = 0; i < 2 && !status; i++) {
        if (!trainer->execs[i]) continue;
        status = tonnx__alloc(&trainer->spent[i], trainer->programs[i]->code_count, sizeof *trainer->spent[i]);
        if (!status) status = tonnx__exec_profile(trainer->execs[i], trainer->spent[i], &trainer->handing[i]);
    }
    return status;
}

double tonnx__lap(tonnx_trainer *trainer, double *to)
{
    const double last = trainer->mark;
    trainer->mark = tonnx__now();
    *to += trainer->mark - last;
    return trainer->mark - last;
}

static void result_of(const tonnx__program *program, size_t number, char *text, size_t size)
{
    const int *out = program->code[number].out;
    while (*out < 0 && out < &program->code[number].out[TONNX__MAX_OUT - 1]) out++; /* some kinds may lack the first */
    const tonnx__buffer *b = &program->buffers[*out < 0 ? 0 : *out];
    snprintf(text, size, "%s[%zu,%zu]", b->name, b->rows, b->cols);
}

static tonnx_profile_row row_of(const tonnx_trainer *trainer, int which, size_t number)
{
    const tonnx__program *program = trainer->programs[which];
    const tonnx__instruction *code = &program->code[number];
    const tonnx__spent *spent = &trainer->spent[which][number];
    return (tonnx_profile_row){ .program = which,
                                .rows = program->rows,
                                .number = number,
                                .kind = tonnx__kind_name(code->kind),
                                .calls = spent->calls,
                                .tiles = spent->tiles,
                                .meets = spent->meets,
                                .seconds = spent->seconds,
                                .waited = spent->waited,
                                .flops = tonnx__instruction_flops(program, code),
                                .bytes = tonnx__instruction_bytes(program, code) };
}

/* Both programs' together. */
static void add_handing(const tonnx_trainer *trainer, tonnx_profile *out)
{
    out->pieces = trainer->handing[0].pieces;
    out->meets = trainer->handing[0].meets;
    for (int i = 0; i < 2; i++) {
        const tonnx__handing *handing = &trainer->handing[i];
        out->submits += handing->submits;
        out->waits += handing->waits;
        out->reads += handing->reads;
        out->handing += handing->seconds;
        out->ready += handing->ready;
    }
}

tonnx_status tonnx_trainer_profile(const tonnx_trainer *trainer, tonnx_profile *out,
                                   void (*row)(void *user, const tonnx_profile_row *row), void *user)
{
    *out = trainer->profile;
    if (!trainer->options.profile)
        return tonnx__fail(TONNX_BAD_USAGE, "this trainer was made without `profile`: there is nothing to show");
    add_handing(trainer, out);
    for (int which = 0; which < 2; which++)
        for (size_t i = 0; trainer->spent[which] && i < trainer->programs[which]->code_count; i++) {
            char text[TONNX__INSTRUCTION_TEXT], result[96];
            tonnx_profile_row r = row_of(trainer, which, i);
            tonnx__instruction_text(trainer->programs[which], i, text);
            result_of(trainer->programs[which], i, result, sizeof result);
            r.text = text;
            r.result = result;
            row(user, &r);
        }
    return TONNX_OK;
}
