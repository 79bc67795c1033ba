/* Captions, tooltips and the facts of a tree of calls. */
#include "call_tree_parts.h"

#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "visible_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mprof_tree_measure mprof__tree_measure_of(const mprof__tree_drawing *d)
{
    return d->layout->options->tree;
}

/* A value of the measure: MiB, seconds, or MiB seconds. */
char *mprof__tree_value_text(const mprof__tree_drawing *d, char *text, size_t size, double value)
{
    mprof_unit unit = d->layout->options->unit;
    if (mprof__tree_measure_of(d) == MPROF_TREE_TIME) {
        return mprof__duration_text(text, size, value);
    }
    mprof__memory_text_in(text, size, unit, value);
    if (mprof__tree_measure_of(d) == MPROF_TREE_MEMORY_TIME) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "\xC2\xB7s");
    }
    return text;
}

static void signed_text(const mprof__tree_drawing *d, char *text, size_t size, double value,
                        bool is_release)
{
    char amount[48];
    mprof__tree_value_text(d, amount, sizeof amount, value);
    const char *sign = mprof__tree_measure_of(d) != MPROF_TREE_GROWTH || !(value > 0) ? ""
                       : is_release ? "\xE2\x88\x92"
                                    : "+";
    snprintf(text, size, "%s%s", sign, amount);
}

static const mprof_estimate *estimate_of(const mprof_call_sum *sum, mprof_tree_measure measure,
                                         bool is_release)
{
    return measure == MPROF_TREE_TIME ? &sum->time_s
           : is_release               ? &sum->release_mib
                                      : &sum->growth_mib;
}

double mprof__estimate_doubt(const mprof_estimate *e)
{
    /* less than nothing has no function: a bound that is far above is in the table of `functions`
     */
    double doubt = fmin(fmax(e->high - e->value, e->value - e->low), e->value);
    return doubt > 0.005 * e->value ? doubt : 0; /* else it would not be seen */
}

void mprof__tree_drop_unit(char *amount, const char *after)
{
    char *unit = strrchr(amount, ' ');
    const char *known = strrchr(after, ' ');
    if (unit && known && strcmp(unit, known) == 0) {
        *unit = '\0';
    }
}

/* " ±12.0", behind an amount, where that is not exact. */
static void doubt_text(const mprof__tree_drawing *d, char *text, size_t size,
                       const mprof_call_sum *sum, bool is_release, const char *after)
{
    char amount[48];
    double doubt =
        mprof__tree_measure_of(d) == MPROF_TREE_MEMORY_TIME
            ? 0
            : mprof__estimate_doubt(estimate_of(sum, mprof__tree_measure_of(d), is_release));
    *text = '\0';
    if (doubt > 0) {
        mprof__tree_value_text(d, amount, sizeof amount, doubt);
        mprof__tree_drop_unit(amount, after);
        snprintf(text, size, " \xC2\xB1%s", amount);
    }
}

/* Each further step is shorter. */
void mprof__tree_caption_text(const mprof__tree_drawing *d, char *text, size_t size,
                              const mprof__tree_box *box, int step)
{
    const mprof_call_node *node = &d->tree->nodes[box->node];
    const char *name = box->is_outside ? "outside of calls"
                       : !box->node    ? "all"
                                       : d->labels[node->function];
    const mprof_call_sum *sum = box->is_outside ? &node->own : &node->total;
    double whole = mprof__tree_value(sum, mprof__tree_measure_of(d), box->is_release);
    double own = mprof__tree_value(&node->own, mprof__tree_measure_of(d), box->is_release);
    char amount[64], doubt[64], own_amount[48];
    signed_text(d, amount, sizeof amount, whole, box->is_release);
    doubt_text(d, doubt, sizeof doubt, sum, box->is_release, amount);
    mprof__tree_value_text(d, own_amount, sizeof own_amount, own);
    mprof__tree_drop_unit(own_amount, amount);
    bool has_own = box->node && !box->is_outside && own > 0 && own < whole;
    if (step == 0 && has_own) {
        snprintf(text, size, "%s \xC2\xB7 %s%s (own %s)", name, amount, doubt, own_amount);
    } else if (step <= 1) {
        snprintf(text, size, "%s \xC2\xB7 %s%s", name, amount, doubt);
    } else if (step == 2) {
        snprintf(text, size, "%s \xC2\xB7 %s", name, amount);
    } else {
        snprintf(text, size, "%s", name);
    }
}

void __attribute__((format(printf, 3, 4)))
mprof__tree_add_words(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void add_amount(const mprof__tree_drawing *d, char *text, size_t size, const char *word,
                       const mprof_estimate *total, const mprof_estimate *own, const char *sign)
{
    char amount[48];
    mprof_unit unit = d->layout->options->unit;
    mprof__memory_text_in(amount, sizeof amount, unit, total->value);
    mprof__tree_add_words(text, size, " \xC2\xB7 %s %s%s", word, total->value > 0 ? sign : "",
                          amount);
    if (mprof__estimate_doubt(total) > 0) {
        mprof__memory_text_in(amount, sizeof amount, unit, mprof__estimate_doubt(total));
        mprof__tree_add_words(text, size, " \xC2\xB1%s", amount);
    }
    mprof__memory_text_in(amount, sizeof amount, unit, own->value);
    mprof__tree_add_words(text, size, ", own %s", amount);
}

/* The tooltip; tree.js makes the same of its numbers. */
void mprof__tree_about_text(const mprof__tree_drawing *d, char *text, size_t size,
                            const mprof__tree_box *box)
{
    const mprof_call_node *node = &d->tree->nodes[box->node];
    const mprof_call_sum *sum = box->is_outside ? &node->own : &node->total;
    char amount[48];
    snprintf(text, size, "%s",
             box->is_outside ? "outside of calls"
             : !box->node    ? "all"
                             : d->tree->functions[node->function].name);
    add_amount(d, text, size, "grew", &sum->growth_mib, &node->own.growth_mib, "+");
    add_amount(d, text, size, "released", &sum->release_mib, &node->own.release_mib,
               "\xE2\x88\x92");
    mprof__tree_add_words(text, size, " \xC2\xB7 %s",
                          mprof__duration_text(amount, sizeof amount, sum->time_s.value));
    if (node->call_count > 0) {
        mprof__tree_add_words(text, size, " \xC2\xB7 %s call%s",
                              mprof__count_text(amount, sizeof amount, node->call_count),
                              node->call_count == 1 ? "" : "s");
    }
    if (!isnan(node->peak_mib) && !box->is_outside) {
        mprof__memory_text_in(amount, sizeof amount, d->layout->options->unit, node->peak_mib);
        mprof__tree_add_words(text, size, " \xC2\xB7 peak %s", amount);
    }
}

mprof_status mprof__tree_set_facts(mprof__tree_drawing *d)
{
    static const char *const widths[] = {"growth", "time", "memory \xC3\x97 time"};
    const mprof_call_sum *all = &d->tree->nodes[0].total;
    char text[900], amount[48], more[48], net[48];
    uint64_t calls = 0;
    mprof_unit unit = d->layout->options->unit;
    for (size_t i = 0; i < d->tree->function_count; i++) {
        calls += d->tree->functions[i].call_count;
    }
    snprintf(text, sizeof text, "%s" MPROF__FACT_SEPARATOR,
             mprof__duration_text(amount, sizeof amount, d->tree->duration_s));
    if (calls > 0) {
        mprof__tree_add_words(text, sizeof text, "%s call%s of ",
                              mprof__count_text(amount, sizeof amount, calls),
                              calls == 1 ? "" : "s");
    }
    mprof__tree_add_words(text, sizeof text, "%s function%s",
                          mprof__count_text(amount, sizeof amount, d->tree->function_count),
                          d->tree->function_count == 1 ? "" : "s");
    if (d->tree->has_samples) {
        mprof__tree_add_words(text, sizeof text, ", sampled");
    }
    /* samples of stacks may have met more than those of memory */
    double peak_mib = mprof_profile_peak(d->profile).mib, met_mib = d->tree->nodes[0].peak_mib;
    mprof__memory_text_in(amount, sizeof amount, unit, fmax(met_mib, peak_mib));
    mprof__tree_add_words(text, sizeof text, MPROF__FACT_SEPARATOR "peak %s%s",
                          met_mib > peak_mib ? "\xE2\x89\xA5 " : "", amount);
    mprof__memory_text_in(amount, sizeof amount, unit, all->growth_mib.value);
    mprof__memory_text_in(more, sizeof more, unit, all->release_mib.value);
    mprof__change_text_in(net, sizeof net, unit, d->tree->net_mib);
    mprof__tree_add_words(text, sizeof text,
                          MPROF__FACT_SEPARATOR "+%s, \xE2\x88\x92%s: %s" MPROF__FACT_SEPARATOR
                                                "width: %s" MPROF__FACT_SEPARATOR
                                                "underlined: own, no callee",
                          amount, more, net, widths[mprof__tree_measure_of(d)]);
    free(d->layout->figure->facts);
    d->layout->figure->facts = mprof__visible_text(text, strlen(text), sizeof text);
    return d->layout->figure->facts ? MPROF_OK : MPROF_ENOMEM;
}

double mprof__tree_put_text(mprof__tree_drawing *d, mprof_role role, mprof_anchor anchor, double x,
                            double y, const char *text)
{
    return mprof__add_measured_text(d->layout, (mprof__text_item){.role = role,
                                                                  .colour = MPROF_COLOUR_NONE,
                                                                  .anchor = anchor,
                                                                  .x = x,
                                                                  .y = y,
                                                                  .text = text,
                                                                  .length = strlen(text)});
}
