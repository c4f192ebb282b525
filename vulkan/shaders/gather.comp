#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
/* X[n,f] = data[order[first + n]]·scale; T[n,w] = targets of the same rows. Constants 1, 2: what X's and T's data hold:
 * 0 none, 1 floats, 2 bytes, 3 ints. u[0] to u[1]: the samples that this piece of the data has, and up to u[2] those of a second
 * one, where constant 4 says so; rows of others are left alone. Where X is here too, T is whole. k: columns of T. */
#define CLOCK 3
#include "vulkan/shaders/common.glsl"

layout(constant_id = 1) const uint X_HOLDS = 1u;
layout(constant_id = 2) const uint T_HOLDS = 0u;
layout(constant_id = 3) const uint EACH = 1u; /* of X's numbers to an invocation: 1, or fours, which neighbours have side by side */

layout(constant_id = 4) const uint TWO = 0u;

layout(set = 0, binding = 0) readonly buffer Data { uint data[]; };
layout(set = 0, binding = 1) readonly buffer Targets { uint targets[]; };
layout(set = 0, binding = 2) readonly buffer Order { uint order[]; };
OUT(4, x);
OUT(5, t);
layout(set = 0, binding = 6) readonly buffer More { uint more[]; };
layout(set = 0, binding = 0) readonly buffer WideData { uvec4 wide_data[]; };
layout(set = 0, binding = 6) readonly buffer WideMore { uvec4 wide_more[]; };
layout(set = 0, binding = 4) buffer Wide4 { vec4 wide_x[]; };

/* Word i of the first piece or the second. */
uint word(uint i, bool second)
{
    return TWO != 0u && second ? more[i] : data[i];
}

/* Numbers `from` to from + 3 of it. */
vec4 four(uint from, bool second)
{
    if (X_HOLDS == 2u) return vec4(uvec4(word(from / 4u, second)) >> uvec4(0u, 8u, 16u, 24u) & 255u);
    return uintBitsToFloat(TWO != 0u && second ? wide_more[from / 4u] : wide_data[from / 4u]);
}

void main()
{
    const uint i = invocation(), first = tick().first, of_x = X_HOLDS != 0u ? push.n * push.f / EACH : 0u;
    const float scale = tonnx_clock.scale;
    const uint columns = i < of_x ? push.f / EACH : push.k, e = i < of_x ? i : i - of_x;
    if (i >= of_x + (T_HOLDS != 0u ? push.n * push.k : 0u)) return;
    const uint n = e / columns, c = e - n * columns;
    const uint sample_ = order[first + FIRST_ROW + n];
    const bool second = TWO != 0u && sample_ >= push.u[1], whole = X_HOLDS != 0u && i >= of_x;
    if (!whole && (sample_ < push.u[0] || sample_ >= (TWO != 0u ? push.u[2] : push.u[1]))) return;
    const uint row = whole ? sample_ : sample_ - (second ? push.u[1] : push.u[0]), from = row * columns + c;
    if (i >= of_x) {
        const uint target = targets[from];
        t[FLAT(5, e)] = T_HOLDS == 3u ? float(int(target)) : uintBitsToFloat(target);
    } else if (EACH % 4u == 0u) {
        const uint to = n * (push.f / 4u) + c, at = row * (push.f / 4u) + c;
        [[unroll]] for (uint k = 0u; k < EACH / 4u; k++)
            wide_x[FLAT(4, 4u * (to + k * columns)) / 4u] = four(4u * (at + k * columns), second) * scale;
    } else if (X_HOLDS == 2u) {
        x[FLAT(4, e)] = float(word(from / 4u, second) >> (8u * (from % 4u)) & 255u) * scale;
    } else {
        x[FLAT(4, e)] = uintBitsToFloat(word(from, second)) * scale;
    }
}
