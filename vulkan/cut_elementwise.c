/* Kinds whose elements stand alone. */
#include "runtime/ops/element_rng.h"
#include "vulkan/cut_impl.h"

/* Y[n,f] = f(X[n,f]) */
void tonnx__vk_cut_ACT(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_act);
    d.specs[1] = tonnx__vk_act(cut->code->op);
    d.push.x[0] = (float)cut->code->a;
    d.push.x[1] = (float)cut->code->b;
    tonnx__vk_takes(&d, cut->in[0]);
    tonnx__vk_takes(&d, cut->in[1]);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_emit_rows(cut, &d, cut->out[0].rows, cut->out[0].cols, cut->out[0].cols);
}

/* dX[n,f] = dY[n,f]·f'(X[n,f], Y[n,f]) */
void tonnx__vk_cut_ACT_BACK(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_act_back);
    d.specs[1] = tonnx__vk_act(cut->code->op);
    d.push.x[0] = (float)cut->code->a;
    d.push.x[1] = (float)cut->code->b;
    for (int k = 0; k < 4; k++) tonnx__vk_takes(&d, cut->in[k]);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_emit_rows(cut, &d, cut->out[0].rows, cut->out[0].cols, cut->out[0].cols);
}

/* Y[n,f] = A op B */
void tonnx__vk_cut_BINARY(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_binary);
    d.specs[1] = (uint32_t)cut->code->op;
    tonnx__vk_takes(&d, cut->in[0]);
    tonnx__vk_takes(&d, cut->in[1]);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_takes_clock(cut, &d);
    tonnx__vk_emit_rows(cut, &d, cut->out[0].rows, cut->out[0].cols, cut->out[0].cols);
}

/* dA[n,f] = dY·∂Y/∂A, then dB[n,f] = dY·∂Y/∂B */
void tonnx__vk_cut_BINARY_BACK(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_binary_back);
    d.specs[1] = (uint32_t)cut->code->op;
    d.push.u[0] = cut->code->out[0] == cut->code->out[1];
    for (int k = 0; k < 3; k++) tonnx__vk_takes(&d, cut->in[k]);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_gives(&d, cut->out[1]);
    tonnx__vk_emit_rows(cut, &d, cut->in[0].rows, cut->in[0].cols, cut->in[0].cols);
}

static void cut_random(tonnx__vk_cut *cut, uint32_t slope, tonnx__vk_operand x)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_random);
    const uint64_t seed = cut->exec->base.program->seed;
    const double a = cut->code->a;
    d.specs[1] = slope;
    d.push.x[0] = (float)(slope ? a : 1.0 / (1.0 - a));
    d.push.x[1] = (float)(cut->code->b - a);
    d.push.u[0] = tonnx_element_threshold(slope ? 0.0 : a);
    d.push.u[1] = cut->code->stream;
    d.push.u[2] = (uint32_t)seed;
    d.push.u[3] = (uint32_t)(seed >> 32);
    tonnx__vk_takes(&d, cut->in[0]);
    tonnx__vk_takes(&d, x);
    tonnx__vk_gives(&d, cut->out[0]);
    tonnx__vk_takes_clock(cut, &d);
    tonnx__vk_emit_rows(cut, &d, cut->out[0].rows, cut->out[0].cols, cut->out[0].cols);
}

/* Y[i] = V[i]·mask/(1 − a) */
void tonnx__vk_cut_DROPOUT(tonnx__vk_cut *cut)
{
    cut_random(cut, 0, (tonnx__vk_operand){ 0 });
}

/* Y[i] = V[i] where X[i] ≥ 0, else V[i]·s */
void tonnx__vk_cut_RANDOM_SLOPE(tonnx__vk_cut *cut)
{
    cut_random(cut, 1, cut->in[1]);
}

/* Y[:, to..to+width) = X[:, from..from+width) */
void tonnx__vk_cut_COPY(tonnx__vk_cut *cut)
{
    const tonnx__instruction *code = cut->code;
    const tonnx__vk_operand x = cut->in[0], y = cut->out[0];
    const size_t widest = x.cols > y.cols ? x.cols : y.cols, at_once = tonnx__vk_span(cut, x.rows, widest, 1);
    for (size_t from = 0; from < x.rows && !cut->status; from += at_once) {
        const size_t rows = x.rows - from < at_once ? x.rows - from : at_once;
        tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_copy);
        d.push.u[0] = (uint32_t)x.cols;
        d.push.u[1] = (uint32_t)code->from;
        d.push.u[2] = (uint32_t)y.cols;
        d.push.u[3] = (uint32_t)code->to;
        tonnx__vk_takes(&d, tonnx__vk_rows_of(x, from, rows));
        tonnx__vk_gives(&d, tonnx__vk_rows_of(y, from, rows));
        tonnx__vk_takes_clock(cut, &d);
        tonnx__vk_emit_rows(cut, &d, rows, code->width, code->width);
    }
}

/* X[i] = a */
void tonnx__vk_cut_FILL(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_fill);
    const tonnx__vk_operand x = tonnx__vk_flat(cut->out[0]);
    d.push.x[0] = (float)cut->code->a;
    tonnx__vk_gives(&d, x);
    tonnx__vk_emit_rows(cut, &d, x.rows, 1, 1);
}

/* G[i] ·= min(1, a/(√square + 1e-6)), or G[i] = max(−a, min(a, G[i])) */
void tonnx__vk_cut_CLIP(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_clip);
    const tonnx__vk_operand g = tonnx__vk_flat(cut->out[0]);
    d.specs[1] = (cut->code->flags & TONNX__SQUARE) != 0;
    d.push.x[0] = (float)cut->code->a;
    tonnx__vk_takes(&d, cut->in[0]);
    tonnx__vk_gives(&d, g);
    tonnx__vk_takes_clock(cut, &d);
    tonnx__vk_emit_rows(cut, &d, g.rows, 1, 1);
}

/* Shaders know an optimizer by the line of its row. */
uint32_t tonnx__vk_optimizer(int op)
{
    static const uint32_t lines[] = {
#define TONNX_OPTIMIZER(id, name, moments, rate, momentum, beta1, beta2, rho, eps, decay, mode) [TONNX_##id] = __LINE__,
#include "runtime/ops/optimizers.def"
#undef TONNX_OPTIMIZER
    };
    return lines[op];
}

void tonnx__vk_hyper(const tonnx__instruction *code, float x[7])
{
    const double *h = code->h;
    const double numbers[] = { h[TONNX__H_BETA1], h[TONNX__H_BETA2], 1.0 - h[TONNX__H_BETA1], 1.0 - h[TONNX__H_BETA2],
                               h[TONNX__H_EPS],   h[TONNX__H_DECAY], h[TONNX__H_NESTEROV] };
    for (int i = 0; i < 7; i++) x[i] = (float)numbers[i];
}

/* P[i], M[i], V[i] ← one optimizer step by G[i] */
void tonnx__vk_cut_UPDATE(tonnx__vk_cut *cut)
{
    tonnx__vk_dispatch d = tonnx__vk_begin(cut, TONNX__VK_update);
    const tonnx__vk_operand g = tonnx__vk_flat(cut->in[0]);
    d.specs[1] = tonnx__vk_optimizer(cut->code->op);
    tonnx__vk_hyper(cut->code, d.push.x);
    tonnx__vk_takes(&d, g);
    for (int k = 0; k < 3; k++) tonnx__vk_gives(&d, tonnx__vk_flat(cut->out[k]));
    tonnx__vk_takes_clock(cut, &d);
    tonnx__vk_emit_rows(cut, &d, g.rows, 1, 1);
}
