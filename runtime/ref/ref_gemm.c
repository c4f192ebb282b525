#include "runtime/ref/ref_impl.h"

/* Element (r, c) of op(A): A as stored, or its transpose. */
static double op_at(tonnx__matrix m, bool transposed, size_t r, size_t c)
{
    return transposed ? m.at[c * m.cols + r] : m.at[r * m.cols + c];
}

/* What a product becomes on its way into C: forward z = product + beta·bias, C = f(z), Z = z; backward
 * C = product ∘ f'(X, Y). */
static double epilogue(const tonnx__ref_call *call, double product, size_t i, size_t j)
{
    const tonnx__instruction *code = call->code;
    const tonnx__matrix bias = call->in[2], x = call->in[3], y = call->in[4], slope = call->in[5];
    const double a = tonnx__ref_or(slope, 0, j, code->a);
    if (code->flags & TONNX__EPILOGUE_BACK)
        return product *
               tonnx__activation_dxy(code->op, tonnx__ref_or(x, i, j, 0), tonnx__ref_or(y, i, j, 0), a, code->b);
    const double z = product + code->beta * tonnx__ref_or(bias, 0, j, 0.0);
    const tonnx__matrix kept = call->out[1];
    if (kept.at) kept.at[i * kept.cols + j] = z;
    return code->op < 0 ? z : tonnx__activation_f(code->op, z, a, code->b);
}

/* C[m,n] = act(alpha·Σₖ op(A)[m,k]·op(B)[k,n] + beta·bias[n]);  S[m] = Σₖ op(A)[m,k] */
void tonnx__ref_GEMM(const tonnx__ref_call *call)
{
    const tonnx__matrix a = call->in[0], b = call->in[1], c = call->out[0], s = call->out[2];
    const bool ta = call->code->flags & TONNX__TRANS_A, tb = call->code->flags & TONNX__TRANS_B;
    const size_t depth = ta ? a.rows : a.cols;
    for (size_t i = 0; i < c.rows && !tonnx__backend_stopped(call->backend); i++) {
        for (size_t j = 0; j < c.cols; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < depth; k++) sum += op_at(a, ta, i, k) * op_at(b, tb, k, j);
            tonnx__ref_put(call, i * c.cols + j, epilogue(call, call->code->alpha * sum, i, j));
        }
        if (!s.at) continue;
        s.at[i] = 0.0;
        for (size_t k = 0; k < depth; k++) s.at[i] += op_at(a, ta, i, k);
    }
}

/* G[m,n] = alpha·Σₖ op(A)[m,k]·op(B)[k,n] steps P, M, V; g[m] = Σₖ op(A)[m,k] steps the bias' */
void tonnx__ref_GEMM_UPDATE(const tonnx__ref_call *call)
{
    const tonnx__matrix a = call->in[0], b = call->in[1], p = call->out[0], bias = call->out[3];
    const bool ta = call->code->flags & TONNX__TRANS_A, tb = call->code->flags & TONNX__TRANS_B;
    const size_t depth = ta ? a.rows : a.cols;
    for (size_t i = 0; i < p.rows && !tonnx__backend_stopped(call->backend); i++) {
        for (size_t j = 0; j < p.cols; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < depth; k++) sum += op_at(a, ta, i, k) * op_at(b, tb, k, j);
            tonnx__ref_step(call, 0, i * p.cols + j, call->code->alpha * sum);
        }
        if (!bias.at) continue;
        double sum = 0.0;
        for (size_t k = 0; k < depth; k++) sum += op_at(a, ta, i, k);
        tonnx__ref_step(call, 3, i, sum);
    }
}
