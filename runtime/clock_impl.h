/* Time as it is measured: seconds of a steady clock, from an arbitrary moment on. */
#ifndef TONNX_RUNTIME_CLOCK_IMPL_H
#define TONNX_RUNTIME_CLOCK_IMPL_H

double tonnx__now(void);

#endif
