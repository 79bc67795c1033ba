/* fmin and fmax without libm, since recording needs libc only: NAN gives way to a number. Private
 * to this folder. */
#ifndef MPROF_PARSE_EXTREMES_H
#define MPROF_PARSE_EXTREMES_H

static inline double mprof__smaller(double a, double b)
{
    return a < b || b != b ? a : b;
}

static inline double mprof__larger(double a, double b)
{
    return a > b || b != b ? a : b;
}

#endif
