/* Verdicts on growth: false alarms on healthy programs, and leaks that must be found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parse/check/growth.h"

#include <math.h>
#include <stdlib.h>

#define SERIES 1000
#define SAMPLES_MOST 4000
#define LIMIT 1.0 /* MiB/min */

static mprof_sample samples[SAMPLES_MOST];
static uint64_t state = 20261128;

static double uniform(double from, double to)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return from + (to - from) * (double)(state >> 11) * 0x1p-53;
}

/* Of mean 0 and deviation 1. */
static double noise(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += uniform(0, 1);
    }
    return sum;
}

/* A program that collects garbage: memory rises to a level that differs a little each time, and
 * falls to a trough that differs less. It warms up first, and frees all at its end. */
static size_t make_sawtooth(double leak_mib_per_min, double fewest_teeth, double most_teeth)
{
    double length_s = uniform(300, 3600);
    double period_s = length_s / uniform(fewest_teeth, most_teeth);
    double amplitude_mib = uniform(2, 200), base_mib = uniform(20, 1000);
    double jitter_mib = fmin(amplitude_mib * uniform(0, 0.03), length_s / 60 * LIMIT / 8);
    double warm_up_s = length_s * uniform(0, 0.15), period_jitter = uniform(0, 0.3);
    size_t count = (size_t)uniform(400, SAMPLES_MOST);
    double tooth_begin_s = -uniform(0, period_s), tooth_s = period_s, trough_mib = base_mib;
    for (size_t i = 0; i < count; i++) {
        double time_s = length_s * (double)i / (double)(count - 1);
        while (time_s >= tooth_begin_s + tooth_s) {
            tooth_begin_s += tooth_s;
            tooth_s = period_s * (1 + period_jitter * uniform(-1, 1));
            trough_mib = base_mib + jitter_mib * noise();
        }
        double mib = trough_mib + amplitude_mib * (time_s - tooth_begin_s) / tooth_s;
        mib += leak_mib_per_min * time_s / 60;
        mib *= time_s < warm_up_s ? 0.2 + 0.8 * time_s / warm_up_s : 1;
        samples[i] = (mprof_sample){floor(mib * 256) / 256, 1e9 + time_s};
    }
    samples[count - 1].mib *= uniform(0.1, 1);
    return count;
}

static size_t verdicts[MPROF__VERDICT_COUNT];

static void judge_series(size_t count)
{
    mprof__growth growth;
    const char *reason;
    assert_int_equal(mprof__growth_find(&growth, samples, count), 0);
    verdicts[mprof__growth_judge(&growth, LIMIT, &reason)]++;
}

static void judge_many(double leak_mib_per_min, double fewest_teeth, double most_teeth)
{
    for (int verdict = 0; verdict < MPROF__VERDICT_COUNT; verdict++) {
        verdicts[verdict] = 0;
    }
    for (int i = 0; i < SERIES; i++) {
        judge_series(make_sawtooth(leak_mib_per_min, fewest_teeth, most_teeth));
    }
    print_message(
        "%g to %g teeth, leak of %g MiB/min, limit %g: %zu passed, %zu failed, %zu inconclusive\n",
        fewest_teeth, most_teeth, leak_mib_per_min, LIMIT, verdicts[MPROF__PASSED],
        verdicts[MPROF__FAILED], verdicts[MPROF__INCONCLUSIVE]);
}

static void healthy_sawtooths_raise_few_false_alarms(void **unused)
{
    (void)unused;
    judge_many(0, 12, 120);
    assert_true(verdicts[MPROF__FAILED] <= SERIES * 2 / 100);
    assert_true(verdicts[MPROF__PASSED] >= SERIES * 90 / 100);
}

static void a_leak_of_twice_the_limit_is_found(void **unused)
{
    (void)unused;
    judge_many(2 * LIMIT, 12, 120);
    assert_true(verdicts[MPROF__FAILED] >= SERIES * 98 / 100);
    assert_int_equal(verdicts[MPROF__PASSED], 0);
}

/* Memory may rise for most of the time, or all of it: nothing is known about the next trough. */
static void few_teeth_are_inconclusive(void **unused)
{
    (void)unused;
    judge_many(0, 2, 8);
    assert_true(verdicts[MPROF__FAILED] <= SERIES * 2 / 100);
    assert_true(verdicts[MPROF__INCONCLUSIVE] >= SERIES * 98 / 100);
}

/* Too few samples, or none, or all at one time. */
static void short_series_are_inconclusive(void **unused)
{
    (void)unused;
    for (size_t count = 0; count < 16; count++) {
        for (size_t i = 0; i < count; i++) {
            samples[i] = (mprof_sample){(double)i * 100, 1e9 + (double)i};
        }
        verdicts[MPROF__INCONCLUSIVE] = 0;
        judge_series(count);
        assert_int_equal(verdicts[MPROF__INCONCLUSIVE], 1);
    }
    for (size_t i = 0; i < 1000; i++) {
        samples[i] = (mprof_sample){(double)i, 1e9};
    }
    judge_series(1000);
    assert_int_equal(verdicts[MPROF__INCONCLUSIVE], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_sawtooths_raise_few_false_alarms),
        cmocka_unit_test(a_leak_of_twice_the_limit_is_found),
        cmocka_unit_test(few_teeth_are_inconclusive),
        cmocka_unit_test(short_series_are_inconclusive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
