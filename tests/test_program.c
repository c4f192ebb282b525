/* Programs are checked before they run, and can be printed. */
#include "trial_kinds.h"

START_TEST(every_variant_is_well_formed)
{
    for (unsigned v = 0;; v++) {
        trial t;
        trial_begin(&t, 5, 7, 1);
        const bool made = makers[_i](&t, v);
        if (made) ck_ok(tonnx__program_verify(t.program));
        trial_end(&t);
        if (!made) break;
    }
}
END_TEST

/* What is wrong with instruction 0 after `spoil` has been at it must be said with that word. */
static void refuses(tonnx__kind kind, unsigned variant, void (*spoil)(trial *t, tonnx__instruction *code),
                    const char *word)
{
    trial t;
    trial_begin(&t, 5, 7, 1);
    ck_assert(makers[kind](&t, variant));
    spoil(&t, &t.program->code[0]);
    ck_fails(tonnx__program_verify(t.program), TONNX_BAD_USAGE, word);
    trial_end(&t);
}

static void drop_input(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->in[0] = -1;
}

static void drop_output(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->out[0] = -1;
}

static void wild_buffer(trial *t, tonnx__instruction *code)
{
    code->in[0] = (int)t->program->buffer_count;
}

static void other_shape(trial *t, tonnx__instruction *code)
{
    t->program->buffers[code->in[0]].cols--;
}

static void beyond_arena(trial *t, tonnx__instruction *code)
{
    t->program->buffers[code->out[0]].offset = SIZE_MAX - 3;
}

static void wild_arena(trial *t, tonnx__instruction *code)
{
    t->program->buffers[code->out[0]].arena = TONNX__ARENAS;
}

static void extra_operand(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->in[5] = code->in[0];
}

static void wild_op(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->op = 1000;
}

static void wild_flag(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->flags |= TONNX__LOG;
}

static void wild_kind(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->kind = TONNX__KINDS;
}

static void turn_a(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->flags ^= TONNX__TRANS_A;
}

static void add_with_epilogue(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->flags |= TONNX__ACC0;
}

static void too_wide(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->width++;
}

static void endless(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->from = SIZE_MAX;
}

static void no_block(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->block = 0;
}

static void drop_moment(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->out[1] = -1;
}

static void drop_bias_moment(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->out[4] = -1;
}

static void drop_kept(trial *t, tonnx__instruction *code)
{
    (void)t;
    code->in[1] = code->in[2] = -1;
}

static void no_rows(trial *t, tonnx__instruction *code)
{
    (void)code;
    t->program->rows = 0;
}

START_TEST(verify_finds_what_is_wrong)
{
    refuses(TONNX__GEMM, 0, drop_input, "slot A: missing");
    refuses(TONNX__GEMM, 0, drop_output, "slot C: missing");
    refuses(TONNX__GEMM, 0, wild_buffer, "slot A: no such buffer");
    refuses(TONNX__GEMM, 0, other_shape, "[");
    refuses(TONNX__GEMM, 0, turn_a, "slot A");
    refuses(TONNX__GEMM, 12, add_with_epilogue, "epilogue");
    refuses(TONNX__ACT, 0, beyond_arena, "end");
    refuses(TONNX__ACT, 0, wild_arena, "arena");
    refuses(TONNX__ACT, 0, extra_operand, "not empty");
    refuses(TONNX__ACT, 0, wild_op, "activation");
    refuses(TONNX__ACT, 0, wild_flag, "flags");
    refuses(TONNX__ACT, 0, wild_kind, "kind");
    refuses(TONNX__ACT, 0, no_rows, "rows");
    refuses(TONNX__ACT_BACK, 4, drop_kept, "missing");
    refuses(TONNX__BINARY, 0, wild_op, "operator");
    refuses(TONNX__BINARY, 0, other_shape, "slot A");
    refuses(TONNX__LOSS, 0, wild_op, "loss");
    refuses(TONNX__LOSS, 0, other_shape, "slot");
    refuses(TONNX__COPY, 0, too_wide, "columns");
    refuses(TONNX__COPY, 0, endless, "columns");
    refuses(TONNX__REDUCE, 0, no_block, "run");
    refuses(TONNX__UPDATE, 2, drop_moment, "keeps it");
    refuses(TONNX__UPDATE, 2, wild_op, "optimizer");
    refuses(TONNX__GEMM_UPDATE, 4, drop_moment, "keeps it");
    refuses(TONNX__GEMM_UPDATE, 6, drop_bias_moment, "slot bM");
    refuses(TONNX__GEMM_UPDATE, 4, turn_a, "slot A");
    refuses(TONNX__GEMM_UPDATE, 4, wild_op, "optimizer");
    refuses(TONNX__CLIP, 1, drop_input, "square");
    refuses(TONNX__GATHER, 0, no_rows, "rows");
}
END_TEST

START_TEST(buffers_must_fit_into_memory)
{
    trial t;
    int buffer = 0;
    trial_begin(&t, 1, 1, 1);
    ck_fails(tonnx__program_buffer(t.program, &buffer, "huge", TONNX__ARENA_WORK, SIZE_MAX / 4, 9), TONNX_NO_MEMORY,
             "huge");
    ck_assert_int_eq(buffer, -1);
    trial_end(&t);
}
END_TEST

typedef struct lines {
    int count;
    char text[4][1024];
} lines;

static void keep_line(void *user, const char *text)
{
    lines *l = user;
    if (l->count < 4) snprintf(l->text[l->count], sizeof l->text[0], "%s", text);
    l->count++;
}

START_TEST(a_program_prints_one_instruction_a_line)
{
    lines l = { 0 };
    trial t;
    trial_begin(&t, 5, 7, 1);
    ck_assert(make_GEMM(&t, 2 + 12));
    ck_assert(make_COPY(&t, 0));
    ck_assert(make_UPDATE(&t, 2 * TONNX_ADAM));
    tonnx__program_print(t.program, keep_line, &l);
    ck_assert_int_eq(l.count, 3);
    ck_assert_msg(strstr(l.text[0], "0 gemm") && strstr(l.text[0], "C=c[5,7]@work+") && strstr(l.text[0], "trans-b") &&
                      strstr(l.text[0], "act=tanh") && strstr(l.text[0], "<- A=a[5,23]"),
                  "%s", l.text[0]);
    ck_assert_msg(strstr(l.text[1], "columns=2..7 to=2"), "%s", l.text[1]);
    ck_assert_msg(strstr(l.text[2], "optimizer=adam"), "%s", l.text[2]);
    trial_end(&t);
}
END_TEST

static Suite *program_suite(void)
{
    Suite *suite = suite_create("program");
    TCase *tcase = tcase_create("program");
    tcase_add_loop_test(tcase, every_variant_is_well_formed, 0, TONNX__KINDS);
    tcase_add_test(tcase, verify_finds_what_is_wrong);
    tcase_add_test(tcase, buffers_must_fit_into_memory);
    tcase_add_test(tcase, a_program_prints_one_instruction_a_line);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(program_suite());
}
