/* Work on whole rows: a row has LANES invocations (constant 2; 1, or a workgroup), whose numbers meet in a fixed tree. */
layout(constant_id = 2) const uint LANES = 1u;

shared float lanes[LOCAL];

#define ROW  (invocation() / LANES)
#define LANE (gl_LocalInvocationID.x % LANES)

/* The sum, or the largest, over the row's lanes, for each of them. All lanes of a workgroup come here together. */
float over_lanes(float mine, bool largest)
{
    if (LANES == 1u) return mine;
    const uint me = gl_LocalInvocationID.x;
    barrier();
    lanes[me] = mine;
    for (uint half_ = LANES / 2u; half_ > 0u; half_ /= 2u) {
        barrier();
        if (LANE < half_) lanes[me] = largest ? max(lanes[me], lanes[me + half_]) : lanes[me] + lanes[me + half_];
    }
    barrier();
    return lanes[me - LANE];
}
float sum_of(float mine)
{
    return over_lanes(mine, false);
}
