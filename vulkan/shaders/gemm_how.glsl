/* What is constant in a product: what is stored transposed, what may be read by fours, whether the epilogue is a derivative,
 * whether row sums are wanted, whether K comes in slices (gemm.glsl, gemm_direct.glsl); from bit 8 on, which operands there are. */
layout(constant_id = 2) const uint HOW = 0u;

#define HAS(k) ((HOW >> (8 + k) & 1u) != 0u)
