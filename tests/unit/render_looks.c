/* One colour has one meaning in a picture: what has one look is one thing, or is grey. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mprof/figure.h>

#include "laid_out.h"
#include "render/figure/colour_slots.h"
#include "script.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDINGS_MAX 30
#define ALL_KINDS ((1U << MPROF_KIND_COUNT) - 1)

/* What a picture of random recordings has. */
struct recipe {
    uint32_t recordings, processes, functions, kinds;
};

static struct script random_recording(const struct recipe *recipe)
{
    static const char *const commands[] = {"cc1",  "as",           "ld",       "sh",
                                           "make", "ar",           "cc",       "sed",
                                           "awk",  "python3 x.py", "Process-", "cmake"};
    struct script script = {NULL, 0, 0};
    double length = pow(10, random_below(4));
    add(&script, "CMDLINE program\nFACT pid 7\nFACT include-children %s\nPROC 7 1 1000.0 make\n",
        random_below(4) ? "yes" : "no");
    for (uint32_t p = 0; p < recipe->processes; p++) {
        uint32_t command = random_below(sizeof commands / sizeof *commands);
        add(&script, "PROC %u 7 1000.0 %s", 100 + p, commands[command]);
        add(&script, strchr(commands[command], '-') ? "%u\n" : "\n", p);
    }
    for (uint32_t i = 0; i < 40; i++) {
        double at = 1000 + length * i / 40;
        add(&script, "MEM %u %.4f\n", 100 + random_below(9000), at);
        for (uint32_t p = 0; p < recipe->processes; p++) {
            if (random_below(3)) {
                add(&script, "CHLD %u %u %.4f\n", 100 + p, 1 + random_below(100), at);
            }
        }
        for (mprof_kind kind = 0; recipe->kinds && kind < MPROF_KIND_COUNT; kind++) {
            add(&script, "KINDS 7 %.4f %s=%u\n", at, mprof_kind_name(kind), random_below(500));
        }
    }
    for (uint32_t f = 0; f < recipe->functions; f++) {
        double from = 1000 + length * random_below(1000) / 1000;
        add(&script, "FUNC m.function_%u 10 %.4f 20 %.4f 0\n", random_below(recipe->functions),
            from, from + length * random_below(1000) / 4000);
    }
    return script;
}

static mprof_profile *load(const struct script *script, uint32_t number)
{
    mprof_load_options options;
    char name[32];
    mprof_load_options_init(&options, sizeof options);
    options.kinds = ALL_KINDS;
    snprintf(name, sizeof name, "run-%u.dat", number);
    return load_text(script->text, script->used, name, &options);
}

/* ---- looks ---- */

/* What a thing is, by kind and name. */
struct thing {
    char name[200];
    bool used;
};

struct looks {
    mprof_figure *figure;
    const mprof_item *items;
    const mprof_about *abouts;
    const char *text;
    uint64_t seed;
    struct thing things[MPROF__SHADE_SLOT + 1];
};

static bool is_grey(int colour)
{
    return colour == MPROF_COLOUR_NONE || colour == MPROF__MAIN_SLOT ||
           colour == MPROF__OTHERS_SLOT || colour == MPROF__CROWD_SLOT ||
           colour == MPROF__SHADE_SLOT;
}

/* "": the item is no mark of a thing. Kinds of one of several recordings belong to it. */
static void name_thing(char *name, size_t size, const struct looks *looks, const mprof_item *item,
                       bool are_several)
{
    static const char *const labels[MPROF_ROLE_COUNT] = {
        [MPROF_ROLE_CURVE] = "recording",   [MPROF_ROLE_CURVE_FINE] = "recording",
        [MPROF_ROLE_CHILD] = "process",     [MPROF_ROLE_LAYER] = "process",
        [MPROF_ROLE_KIND] = "kind",         [MPROF_ROLE_BOX] = "function",
        [MPROF_ROLE_BOX_FINE] = "function", [MPROF_ROLE_RUG] = "function",
        [MPROF_ROLE_BRACKET] = "function"};
    const char *label = labels[item->role];
    *name = '\0';
    if (!label || item->about == MPROF_ABOUT_NONE) {
        return;
    }
    const mprof_about *about = &looks->abouts[item->about];
    size_t length = about->text_length;
    if (about->function != MPROF_FUNCTION_NONE) {
        if (about->calls == 1) { /* a shape of several calls has the colour of the longest */
            snprintf(name, size, "function %u", about->function);
        }
        return;
    }
    const char *text = looks->text + about->text, *end = memmem(text, length, ".dat", 4);
    if (are_several && end) {
        length = (size_t)(end - text);
        label = "recording";
    }
    snprintf(name, size, "%s %.*s", label, (int)length, text);
}

static void check_looks(struct looks *looks, size_t count, bool are_several)
{
    for (size_t i = 0; i < count; i++) {
        const mprof_item *item = &looks->items[i];
        char name[200];
        name_thing(name, sizeof name, looks, item, are_several);
        if (!*name || is_grey(item->colour)) {
            continue;
        }
        struct thing *thing = &looks->things[item->colour];
        if (thing->used && strcmp(thing->name, name) != 0) {
            print_error("seed %llu: '%s' and '%s' have colour %d\n",
                        (unsigned long long)looks->seed, thing->name, name, item->colour);
        }
        assert_true(!thing->used || strcmp(thing->name, name) == 0);
        thing->used = true;
        snprintf(thing->name, sizeof thing->name, "%s", name);
    }
}

/* Layers of a stack are in order from the bottom up. */
static void check_neighbours(const struct looks *looks, size_t count)
{
    const mprof_item *below = NULL;
    for (size_t i = 0; i < count; i++) {
        const mprof_item *item = &looks->items[i];
        if (item->role != MPROF_ROLE_LAYER) {
            continue;
        }
        if (below && below->about != item->about) { /* else a piece of the same layer */
            assert_int_not_equal(below->colour, item->colour);
        }
        below = item;
    }
}

static void check_seed(uint64_t seed)
{
    mprof_profile *profiles[RECORDINGS_MAX] = {NULL};
    struct script scripts[RECORDINGS_MAX];
    struct looks looks = {.seed = seed};
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    mprof_error error = MPROF_ERROR_INIT;
    size_t count;
    random_state = seed * 7919 + 17;
    struct recipe recipe = {.recordings = random_below(3) ? 1 : 1 + random_below(RECORDINGS_MAX),
                            .processes = random_below(3) ? random_below(50) : 0,
                            .functions = random_below(3) ? random_below(40) : 0,
                            .kinds = random_below(4) == 0};
    for (uint32_t i = 0; i < recipe.recordings; i++) {
        scripts[i] = random_recording(&recipe);
        profiles[i] = load(&scripts[i], i);
    }
    options.stack = (int)random_below(2);
    options.flame = random_below(3) == 0;
    options.states = 1;
    options.kinds = recipe.kinds ? 1U + random_below(ALL_KINDS) : 0;
    options.processes = (mprof_process_grouping)random_below(4);
    mprof_status status = mprof_figure_layout(&looks.figure, (const mprof_profile *const *)profiles,
                                              recipe.recordings, &options, &fixed_measure, &error);
    assert_int_equal(status, MPROF_OK);
    looks.abouts = mprof_figure_abouts(looks.figure, &count);
    looks.text = mprof_figure_text(looks.figure, &count);
    looks.items = mprof_figure_items(looks.figure, &count);
    check_looks(&looks, count, recipe.recordings > 1);
    check_neighbours(&looks, count);
    mprof_figure_free(looks.figure);
    for (uint32_t i = 0; i < recipe.recordings; i++) {
        mprof_profile_free(profiles[i]);
        free(scripts[i].text);
    }
}

static void a_look_is_one_thing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        check_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_is_one_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
