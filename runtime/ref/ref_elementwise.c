#include "runtime/ref/ref_impl.h"

#include <math.h>

#include "runtime/ops/element_rng.h"

/* Y = f(X; a, b) */
void tonnx__ref_ACT(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], slope = call->in[1], y = call->out[0];
    for (size_t n = 0; n < x.rows; n++)
        for (size_t f = 0; f < x.cols; f++)
            y.at[n * x.cols + f] = tonnx__activation_f(call->code->op, x.at[n * x.cols + f],
                                                       tonnx__ref_or(slope, 0, f, call->code->a), call->code->b);
}

/* dX = dY ∘ f'(X, Y; a, b) */
void tonnx__ref_ACT_BACK(const tonnx__ref_call *call)
{
    const tonnx__matrix dy = call->in[0], x = call->in[1], y = call->in[2], slope = call->in[3];
    for (size_t n = 0; n < dy.rows; n++)
        for (size_t f = 0; f < dy.cols; f++) {
            const double a = tonnx__ref_or(slope, 0, f, call->code->a);
            const double slope_here = tonnx__activation_dxy(call->code->op, tonnx__ref_or(x, n, f, 0),
                                                            tonnx__ref_or(y, n, f, 0), a, call->code->b);
            tonnx__ref_put(call, n * dy.cols + f, dy.at[n * dy.cols + f] * slope_here);
        }
}

/* dA[f] = Σₙ dY[n,f] · ∂f/∂a(X[n,f]; slope) */
void tonnx__ref_SLOPE_BACK(const tonnx__ref_call *call)
{
    const tonnx__matrix dy = call->in[0], x = call->in[1], slope = call->in[2], da = call->out[0];
    for (size_t f = 0; f < x.cols; f++) {
        da.at[f] = 0.0;
        for (size_t n = 0; n < x.rows; n++)
            da.at[f] += dy.at[n * x.cols + f] *
                        tonnx__activation_da(call->code->op, x.at[n * x.cols + f], tonnx__ref_at(slope, 0, f));
    }
}

/* Y = A op B, broadcast */
void tonnx__ref_BINARY(const tonnx__ref_call *call)
{
    const tonnx__matrix y = call->out[0];
    for (size_t n = 0; n < y.rows; n++)
        for (size_t f = 0; f < y.cols; f++) {
            const double a = tonnx__ref_at(call->in[0], n, f), b = tonnx__ref_at(call->in[1], n, f);
            double *to = &y.at[n * y.cols + f];
            switch (call->code->op) {
            case TONNX__ADD:
                *to = a + b;
                break;
            case TONNX__SUB:
                *to = a - b;
                break;
            case TONNX__MUL:
                *to = a * b;
                break;
            default:
                *to = a / b;
                break;
            }
        }
}

/* The derivatives of A op B: by A {1, 1, B, 1/B}, by B {1, −1, A, −A/B²}. */
static double binary_d(int op, bool by_b, double a, double b)
{
    switch (op) {
    case TONNX__ADD:
        return 1.0;
    case TONNX__SUB:
        return by_b ? -1.0 : 1.0;
    case TONNX__MUL:
        return by_b ? a : b;
    default:
        return by_b ? -a / (b * b) : 1.0 / b;
    }
}

/* dA = dY ∘ ∂Y/∂A, then dB = dY ∘ ∂Y/∂B, each of full size */
void tonnx__ref_BINARY_BACK(const tonnx__ref_call *call)
{
    const tonnx__matrix dy = call->in[0], a = call->in[1], b = call->in[2], db = call->out[1];
    const int op = call->code->op;
    for (size_t n = 0; n < dy.rows; n++)
        for (size_t f = 0; f < dy.cols; f++) {
            const size_t i = n * dy.cols + f;
            const double va = tonnx__ref_at(a, n, f), vb = tonnx__ref_at(b, n, f), d = dy.at[i];
            tonnx__ref_put(call, i, d * binary_d(op, false, va, vb));
            if (!db.at) continue;
            const double old = (call->code->flags & TONNX__ACC1) ? db.at[i] : 0.0;
            db.at[i] = old + d * binary_d(op, true, va, vb);
        }
}

/* The element's draw, in 2⁻²⁴ of [0, 1). */
static uint32_t draw(const tonnx__ref_call *call, size_t element)
{
    const uint64_t step = call->record->step;
    const tonnx_philox block =
        tonnx_element_block((uint32_t)(element / 4), (uint32_t)step, (uint32_t)(step >> 32), call->code->stream,
                            (uint32_t)call->seed, (uint32_t)(call->seed >> 32));
    const uint32_t words[4] = { block.w0, block.w1, block.w2, block.w3 };
    return tonnx_element_step(words[element % 4]);
}

/* Y = V/(1 − a) where the element's uniform number is at least a, else 0 */
void tonnx__ref_DROPOUT(const tonnx__ref_call *call)
{
    const tonnx__matrix v = call->in[0];
    const double ratio = call->code->a;
    for (size_t i = 0; i < v.rows * v.cols; i++) {
        const bool keep = draw(call, i) >= tonnx_element_threshold(ratio);
        tonnx__ref_put(call, i, keep ? v.at[i] / (1.0 - ratio) : 0.0);
    }
}

/* Y = V where X ≥ 0, else V·s, s uniform in [a, b) */
void tonnx__ref_RANDOM_SLOPE(const tonnx__ref_call *call)
{
    const tonnx__matrix v = call->in[0], x = call->in[1];
    const double a = call->code->a, b = call->code->b;
    for (size_t i = 0; i < v.rows * v.cols; i++) {
        const double s = a + (b - a) * ((double)draw(call, i) * (double)TONNX_ELEMENT_STEP);
        tonnx__ref_put(call, i, x.at[i] >= 0.0 ? v.at[i] : v.at[i] * s);
    }
}

/* Y[:, to..to+width) = X[:, from..from+width) */
void tonnx__ref_COPY(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->in[0], y = call->out[0];
    const tonnx__instruction *code = call->code;
    for (size_t n = 0; n < x.rows; n++)
        for (size_t f = 0; f < code->width; f++)
            tonnx__ref_put(call, n * y.cols + code->to + f, x.at[n * x.cols + code->from + f]);
}

/* X = a */
void tonnx__ref_FILL(const tonnx__ref_call *call)
{
    const tonnx__matrix x = call->out[0];
    for (size_t i = 0; i < x.rows * x.cols; i++) x.at[i] = call->code->a;
}

/* G ·= min(1, a/(√square + 1e-6)), PyTorch's clip_grad_norm_; or G = max(−a, min(a, G)), its clip_grad_value_ */
void tonnx__ref_CLIP(const tonnx__ref_call *call)
{
    const tonnx__matrix g = call->out[0];
    const double a = call->code->a;
    const bool by_norm = call->code->flags & TONNX__SQUARE;
    const double factor = by_norm ? fmin(1.0, a / (sqrt(call->in[0].at[0]) + 1e-6)) : 1.0;
    for (size_t i = 0; i < g.rows * g.cols; i++)
        g.at[i] = by_norm ? g.at[i] * factor : g.at[i] > a ? a : g.at[i] < -a ? -a : g.at[i];
}
