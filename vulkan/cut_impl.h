/* How instructions are cut into dispatches. */
#ifndef TONNX_VULKAN_CUT_IMPL_H
#define TONNX_VULKAN_CUT_IMPL_H

#include "vulkan/exec_impl.h"

enum {
    TONNX__VK_ACC0 = 1 << 0, /* as shaders/common.glsl has them */
    TONNX__VK_ACC1 = 1 << 1,
    TONNX__VK_HAS = 8,     /* bit of binding 0: the operand is there */
    TONNX__VK_ONE_COL = 20, /* bit of binding 0: the operand has one column */
    TONNX__VK_ACROSS = 16   /* lowest bit of how many workgroups lie side by side, in u[TONNX__VK_U_ONE_ROW] */
};

/* How one instruction becomes dispatches. */
typedef struct tonnx__vk_cut {
    tonnx__vk *vk;
    tonnx__vk_exec *exec;
    const tonnx__instruction *code;
    size_t index;
    tonnx__vk_operand in[TONNX__MAX_IN], out[TONNX__MAX_OUT];
    tonnx_status status; /* the first failure */
} tonnx__vk_cut;

typedef void tonnx__vk_cutter(tonnx__vk_cut *cut);
/* cut.c: the kind's; NULL where the backend does not have it. */
tonnx__vk_cutter *tonnx__vk_cutter_of(tonnx__kind kind);
tonnx__vk_operand tonnx__vk_operand_of(tonnx__vk_exec *exec, int index);
/* Takes up the instruction at the cut's index. */
void tonnx__vk_cut_open(tonnx__vk_cut *cut);

/* Making a dispatch: begin, name the operands in the order of the shader's bindings, emit. */
tonnx__vk_dispatch tonnx__vk_begin(const tonnx__vk_cut *cut, tonnx__vk_shader shader);
void tonnx__vk_takes(tonnx__vk_dispatch *d, tonnx__vk_operand operand);
void tonnx__vk_gives(tonnx__vk_dispatch *d, tonnx__vk_operand operand);
void tonnx__vk_takes_clock(tonnx__vk_cut *cut, tonnx__vk_dispatch *d);
/* The whole, `x`·`y` workgroups. */
void tonnx__vk_emit(tonnx__vk_cut *cut, const tonnx__vk_dispatch *d, size_t groups_x, size_t groups_y);
/* Rows in parts that the device's bindings can span; `per_row` invocations each. Operands of `rows` rows are cut,
 * others not. */
void tonnx__vk_emit_rows(tonnx__vk_cut *cut, const tonnx__vk_dispatch *d, size_t rows, size_t cols, size_t per_row);
/* How many rows of `cols` elements one binding spans: all of `rows`, or a multiple of `unit`. */
size_t tonnx__vk_span(tonnx__vk_cut *cut, size_t rows, size_t cols, size_t unit);
/* Rows `from`, `from` + 1 … of an operand. An operand as one long column. Elements for this instruction alone. */
tonnx__vk_operand tonnx__vk_rows_of(tonnx__vk_operand operand, size_t from, size_t rows);
tonnx__vk_operand tonnx__vk_flat(tonnx__vk_operand operand);
tonnx__vk_operand tonnx__vk_scratch(tonnx__vk_cut *cut, size_t rows, size_t cols);
/* What shaders know a loss by, and what of it is constant and pushed: cut_rows.c. A product and the loss that follows as one
 * dispatch, where one workgroup makes whole rows; false, and nothing done, else: cut_gemm.c. */
typedef struct tonnx__vk_loss {
    uint32_t line, classes, by_rows, logits;
    float a, smoothing, share; /* share: 1/rows */
} tonnx__vk_loss;
tonnx__vk_loss tonnx__vk_loss_of(const tonnx__instruction *code, size_t rows);
bool tonnx__vk_cut_with_loss(tonnx__vk_cut *cut);
/* What shaders know an activation by (0: none), and an optimizer; its hyper-parameters as they read them. */
uint32_t tonnx__vk_act(int op);
uint32_t tonnx__vk_optimizer(int op);
void tonnx__vk_hyper(const tonnx__instruction *code, float x[7]);

/* cut_columns.c: to[f] (+)= alpha·Σₙ of, by mode, X, (X − mean[f])², V·(X − mean[f])·rstd[f], V·(X − mean[n])·rstd[n],
 * V·∂f/∂a(X). The modes are column.comp's. */
typedef struct tonnx__vk_sum {
    enum {
        TONNX__VK_SUM,
        TONNX__VK_SUM_SQUARE,
        TONNX__VK_SUM_BY_COLUMN,
        TONNX__VK_SUM_BY_ROW,
        TONNX__VK_SUM_SLOPE
    } mode;
    tonnx__vk_operand x, v, mean, rstd;
    double alpha;
    bool add;
} tonnx__vk_sum;
void tonnx__vk_column_sum(tonnx__vk_cut *cut, const tonnx__vk_sum *sum, tonnx__vk_operand to);

#define TONNX_CUT(id) void tonnx__vk_cut_##id(tonnx__vk_cut *cut);
#include "vulkan/cuts.def"
#undef TONNX_CUT

#endif
