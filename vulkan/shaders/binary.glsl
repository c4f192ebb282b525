/* The operator of constant 1, in the order of runtime/ops/binary_impl.h. */
layout(constant_id = 1) const uint OPERATOR = 0u;
const uint ADD = 0u, SUB = 1u, MUL = 2u;
