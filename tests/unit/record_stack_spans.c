/* From samples to spans and sums: frames that go on, end, are missing from a torn stack, or belong
 * to calls that a process records itself; whose frames are shown; growth from counts of faults. */
#include "record/stacks/fault_counter.h"
#include "record/stacks/frame_tree.h"
#include "record/stacks/shown_frames.h"
#include "record/stacks/stack_lane.h"
#include "record/stacks/stack_thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (INT64_C(1) << 20)

/* ---- a file to write to ---- */

typedef struct fixture {
    FILE *file;
    mprof_writer *writer;
    mprof__event_log log;
    mprof__frame_tree tree;
    mprof__stack_lane lane;
    mprof__stack_thread thread;
    char ended[1024]; /* "name@level enter-exit sampled grown;" of each span */
    mprof__stack_span_sink sink;
} fixture;

static void note_end(void *data, const mprof__stack_thread *thread, const mprof__stack_span *span,
                     size_t level, int64_t exit_ns, int64_t exit_bytes, bool is_open)
{
    fixture *at = data;
    char line[128];

    assert_ptr_equal(thread, &at->thread);
    assert_true(exit_bytes >= 0);
    snprintf(line, sizeof line, "%s@%zu %lld-%lld ~%lld +%lld%s; ",
             mprof__frame_tree_name(&at->tree, span->function).bytes, level,
             (long long)span->enter_ns, (long long)exit_ns, (long long)span->uncertain_ns,
             (long long)(span->grown_bytes / MIB), is_open ? " open" : "");
    strcat(at->ended, line);
}

static void open_fixture(fixture *at)
{
    memset(at, 0, sizeof *at);
    at->file = tmpfile();
    assert_non_null(at->file);
    assert_int_equal(mprof_writer_open(&at->writer, fileno(at->file), "test", NULL), MPROF_OK);
    mprof__event_log_init(&at->log, at->writer, NULL, NULL);
    mprof__frame_tree_open(&at->tree, &at->log);
    at->lane.name = strdup("");
    at->thread.lane = &at->lane;
    at->thread.faults.fd = -1;
    at->thread.event.fd = -1;
    at->sink = (mprof__stack_span_sink){at, note_end};
}

static void close_fixture(fixture *at)
{
    mprof__stack_thread_close(&at->thread);
    free(at->lane.name);
    free(at->lane.sums);
    mprof__frame_tree_close(&at->tree);
    mprof_writer_free(at->writer);
    fclose(at->file);
}

/* A stack of letters, outermost first: the letter is the function, its place and case the address:
 * "ab" and "aB" are two calls of b. */
static void take(fixture *at, const char *stack, int64_t now_ns, int64_t before_ns, bool is_torn)
{
    mprof__python_code codes[16];
    mprof__python_frame frames[16];
    const mprof__python_frame *shown[16];
    uint32_t functions[16];
    size_t count = strlen(stack);
    const mprof__stack_moment moment = {now_ns, 100 * MIB, before_ns, 100 * MIB, 0};
    char names[16][2];

    for (size_t i = 0; i < count; i++) {
        names[i][0] = (char)(stack[i] | 0x20);
        names[i][1] = '\0';
        codes[i] = (mprof__python_code){"", names[i], names[i], "/f.py", 1, 0};
        frames[i] = (mprof__python_frame){&codes[i], (uint64_t)(i * 256) + (uint64_t)stack[i], 1};
        shown[i] = &frames[i];
        functions[i] = mprof__frame_tree_function(&at->tree, &codes[i]);
    }
    at->ended[0] = '\0';
    mprof__stack_thread_update(&at->thread, &at->tree, shown, functions, count, is_torn, &moment,
                               &at->sink);
}

static void test_spans(void **state)
{
    static const struct {
        const char *name;
        const char *stack;
        bool is_torn;
        const char *ended;
        size_t depth;
    } rows[] = {
        {"first", "abc", false, "", 3},
        {"goes on", "abc", false, "", 3},
        {"another call of the same function", "abC", false, "c@2 50-250 ~50 +0; ", 3},
        {"its caller ends", "ad", false, "c@2 250-350 ~50 +0; b@1 50-350 ~50 +0; ", 2},
        {"deeper", "adbc", false, "", 4},
        {"torn: the inner ones may still be there", "ad", true, "", 4},
        {"they are", "adbc", false, "", 4},
        {"torn, and another", "ae", true,
         "c@3 450-750 ~50 +0; b@2 450-750 ~50 +0; d@1 350-750 ~50 +0; ", 2},
        {"empty", "", false, "e@1 750-850 ~50 +0; a@0 50-850 ~50 +0; ", 0},
    };
    fixture at;

    (void)state;
    open_fixture(&at);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].name);
        take(&at, rows[i].stack, 100 * (int64_t)(i + 1), 100 * (int64_t)i, rows[i].is_torn);
        assert_string_equal(at.ended, rows[i].ended);
        assert_int_equal(at.thread.depth, rows[i].depth);
    }
    close_fixture(&at);
}

static void test_growth_counts_for_the_whole_stack(void **state)
{
    const mprof__stack_moment moment = {100, 100 * MIB, 0, 100 * MIB, 0};
    fixture at;

    (void)state;
    open_fixture(&at);
    take(&at, "ab", 100, 0, false);
    mprof__stack_thread_grow(&at.thread, 3 * MIB, &moment);
    take(&at, "a", 200, 100, false);
    assert_string_equal(at.ended, "b@1 50-150 ~50 +3; ");
    mprof__stack_thread_cut(&at.thread, &(mprof__stack_moment){300, 100 * MIB, 200, 100 * MIB, 0},
                            &at.sink);
    assert_string_equal(at.ended, "b@1 50-150 ~50 +3; a@0 50-300 ~50 +3 open; ");
    assert_int_equal(at.lane.count, 1);
    assert_int_equal(at.lane.sums[0].grown_bytes, 3 * MIB);
    assert_int_equal(at.lane.sums[0].node, 2);
    close_fixture(&at);
}

/* What is doubtful or shared of the growth at a node, in MiB. */
static int64_t doubt_of(const fixture *at, uint32_t node, bool is_shared)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < at->lane.count; i++) {
        const mprof__stack_sum *sum = &at->lane.sums[i];

        bytes += sum->node != node ? 0 : is_shared ? sum->shared_bytes : sum->doubtful_bytes;
    }
    return bytes / MIB;
}

/* Growth between two samples with the same stack is sure for all of it; where samples between were
 * left out, only for frames that had been there for long. */
static void test_growth_is_doubtful_after_a_late_sample(void **state)
{
    static const struct {
        bool is_late;
        int64_t at_ns; /* of the last sample; `a` began at 100, `b` at 2000 */
        int64_t doubtful, shared_by_a, shared_by_b;
    } rows[] = {{false, 2100, 0, 0, 0}, {true, 2100, 5, 5, 0}, {true, 9000, 5, 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const mprof__stack_moment moment = {rows[i].at_ns, 100 * MIB, 2010, 100 * MIB, 0};
        fixture at;

        open_fixture(&at);
        take(&at, "xa", 100, 0, false);
        take(&at, "xabc", 2000, 100, false);
        take(&at, "xabc", 2010, 2000, false);
        take(&at, "xabc", rows[i].at_ns, 2010, false);
        uint32_t inner = at.thread.node, outer = at.thread.spans[1].node;
        mprof__stack_thread_grow(&at.thread, 5 * MIB, &moment);
        mprof__stack_thread_note_doubt(&at.thread, 5 * MIB, 0, rows[i].is_late, &moment);
        assert_int_equal(doubt_of(&at, inner, false), rows[i].doubtful);
        assert_int_equal(doubt_of(&at, outer, true), rows[i].shared_by_a);
        assert_int_equal(doubt_of(&at, at.thread.spans[2].node, true), rows[i].shared_by_b);
        close_fixture(&at);
    }
}

static bool is_recorded(void *data, uint32_t function)
{
    fixture *at = data;

    return strcmp(mprof__frame_tree_name(&at->tree, function).bytes, "r") == 0;
}

static void test_spans_end_with_the_recorded_call_around_them(void **state)
{
    fixture at;
    const mprof__recorded_functions recorded = {&at, is_recorded};

    (void)state;
    open_fixture(&at);
    take(&at, "arb", 100, 0, false);
    mprof__stack_thread_note_recorded(&at.thread, 100, &recorded);
    take(&at, "arb", 200, 100, false);
    mprof__stack_thread_note_recorded(&at.thread, 200, &recorded);
    assert_string_equal(at.ended, "");
    /* r returned at 150, and was called again */
    assert_int_equal(mprof__stack_thread_end_call(&at.thread, 0, 50, 150, &recorded, &at.sink), 1);
    assert_string_equal(at.ended, "b@2 50-125 ~50 +0; ");
    assert_int_equal(at.thread.spans[2].enter_ns, 175);
    /* a call between the two samples is inside of what both show */
    assert_int_equal(mprof__stack_thread_end_call(&at.thread, 1, 120, 130, &recorded, &at.sink), 1);
    close_fixture(&at);
}

/* ---- the tree ---- */

static void test_nodes(void **state)
{
    static const mprof__python_code one = {"m", "f", "f", "/a.py", 1, 0};
    static const mprof__python_code same = {"m", "f", "f", "/a.py", 1, 7};
    static const mprof__python_code other = {"m", "f", "f", "/a.py", 2, 1};
    fixture at;

    (void)state;
    open_fixture(&at);
    uint32_t f = mprof__frame_tree_function(&at.tree, &one);
    assert_int_equal(mprof__frame_tree_function(&at.tree, &same), f);
    uint32_t g = mprof__frame_tree_function(&at.tree, &other);
    assert_int_not_equal(g, f);
    assert_string_equal(mprof__frame_tree_name(&at.tree, f).bytes, "m.f");
    uint32_t node = mprof__frame_tree_node(&at.tree, 0, f);
    assert_int_equal(mprof__frame_tree_node(&at.tree, 0, f), node);
    assert_int_not_equal(mprof__frame_tree_node(&at.tree, node, f), node);
    assert_false(at.tree.is_full);
    /* a recursion without end finds no more room: what it does counts for the last node */
    for (uint32_t i = 0; i < MPROF__FRAME_TREE_NODES_MAX + 10; i++) {
        node = mprof__frame_tree_node(&at.tree, node, g);
    }
    assert_true(at.tree.is_full);
    assert_int_equal(node, MPROF__FRAME_TREE_NODES_MAX);
    close_fixture(&at);
}

/* ---- lanes ---- */

static void test_lanes(void **state)
{
    mprof__stack_lanes lanes = {0};

    (void)state;
    assert_string_equal(mprof__stack_lanes_claim(&lanes, "")->name, "");
    mprof__stack_lane *first = mprof__stack_lanes_claim(&lanes, NULL);
    assert_string_equal(first->name, "thread 1");
    assert_string_equal(mprof__stack_lanes_claim(&lanes, NULL)->name, "thread 2");
    assert_string_equal(mprof__stack_lanes_claim(&lanes, "io")->name, "io");
    assert_string_equal(mprof__stack_lanes_claim(&lanes, "io")->name, "io #2");
    first->is_used = false;
    assert_ptr_equal(mprof__stack_lanes_claim(&lanes, NULL), first);
    mprof__stack_lane_adopt(first, "Thread-1 (f)x", strlen("Thread-1 (f)"));
    assert_string_equal(first->name, "Thread-1 (f)");
    first->is_used = false; /* keeps its name until its sums are written */
    assert_string_equal(mprof__stack_lanes_claim(&lanes, NULL)->name, "thread 3");
    for (uint32_t node = 1; node < 100; node++) {
        mprof__stack_lane_sum(first, node, 5)->samples++;
        mprof__stack_lane_sum(first, 1, 7)->samples++;
    }
    assert_int_equal(first->count, 99);
    assert_int_equal(first->sums[0].samples, 100);
    assert_int_equal(first->from_ns, 5);
    mprof__stack_lanes_close(&lanes);
}

/* ---- shown frames ---- */

static void test_own_frames(void **state)
{
    static const struct {
        const char *file;
        const char *module;
        bool is_own;
    } rows[] = {
        {"/srv/app/main.py", "__main__", true},
        {"/srv/app/pkg/part.py", "pkg.part", true},
        {"/srv/application/x.py", "x", false},
        {"relative.py", "relative", true},
        {"/srv/app/venv/lib/python3.12/site-packages/lib.py", "lib", false},
        {"/usr/lib/python3/dist-packages/lib.py", "lib", false},
        {"/usr/lib/python3.11/json/__init__.py", "json", false},
        {"/opt/lib64/python3.13t/json/__init__.py", "json", false},
        {"/usr/lib/python311.zip/json/__init__.py", "json", false},
        {"/elsewhere/lib.py", "lib", false},
        {"/tmp/ipykernel_1/2.py", "__main__", true},
        {"/usr/lib/python3/dist-packages/launcher.py", "__main__", false},
        {"<frozen importlib._bootstrap>", "importlib._bootstrap", false},
        {"<string>", "__main__", true},
        {"<string>", "made", true}, /* run by an own frame */
    };
    mprof__shown_frames shown = {.chosen = "own"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* main > X > library > library: X is own if the first library is shown, too */
        const mprof__python_code main = {"__main__",         "<module>", "<module>",
                                         "/srv/app/main.py", 1,          0};
        const mprof__python_code x = {rows[i].module, "x", "x", rows[i].file, 1, (uint32_t)i + 1};
        const mprof__python_code library = {"lib", "y", "y", "/usr/lib/python3.11/queue.py",
                                            1,     100};
        const mprof__python_frame frames[] = {
            {&library, 4, 1}, {&library, 3, 1}, {&x, 2, 1}, {&main, 1, 1}};
        const mprof__python_frame *out[MPROF__SHOWN_FRAMES_MAX];
        size_t count = mprof__shown_frames_select(&shown, out, frames, 4);

        print_message("%s\n", rows[i].file);
        assert_int_equal(count, rows[i].is_own ? 3 : 2);
        assert_ptr_equal(out[0], &frames[3]);
        assert_ptr_equal(out[1], &frames[2]);
    }
    mprof__shown_frames_close(&shown);
}

static void test_stacks_without_own_frames(void **state)
{
    const mprof__python_code standard = {
        "threading", "Thread._bootstrap", "_bootstrap", "/usr/lib/python3.11/threading.py", 1, 0};
    const mprof__python_code package = {
        "pool", "work", "work", "/usr/lib/python3/dist-packages/pool.py", 1, 1};
    const mprof__python_frame frames[] = {
        {&standard, 3, 1}, {&package, 2, 1}, {&standard, 1, 1}, {&standard, 0, 1}};
    const mprof__python_frame *out[MPROF__SHOWN_FRAMES_MAX];
    mprof__shown_frames shown = {.chosen = "own"}, pattern = {.chosen = "nothing"};

    (void)state;
    assert_int_equal(mprof__shown_frames_select(&shown, out, frames, 4), 1);
    assert_ptr_equal(out[0], &frames[1]);
    assert_int_equal(mprof__shown_frames_select(&shown, out, frames + 2, 2), 1);
    assert_ptr_equal(out[0], &frames[2]);
    assert_int_equal(mprof__shown_frames_select(&pattern, out, frames, 4), 0);
    mprof__shown_frames_close(&shown);
    mprof__shown_frames_close(&pattern);
}

static void test_patterns(void **state)
{
    static const struct {
        const char *patterns, *module, *qualname;
        bool is_match;
    } rows[] = {
        {"pkg.mod", "pkg.mod", "f", true},
        {"pkg.mod", "pkg.mod2", "f", false},
        {"pkg.*:handle_*", "pkg.a", "handle_x", true},
        {"pkg.*:handle_*", "pkg.a", "x", false},
        {"m:C", "m", "C.f", true},
        {"m:C", "m", "C.D.f", true},
        {"m:C", "m", "CD.f", false},
        {"a\nb:f\nc", "b", "f", true},
        {"a\nb:f\nc", "c", "g", true},
        {"a\nb:f\nc", "b", "g", false},
        {"m:f", "m", "f.<locals>.g", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s %s:%s\n", rows[i].patterns, rows[i].module, rows[i].qualname);
        assert_int_equal(
            mprof__shown_frames_match(rows[i].patterns, rows[i].module, rows[i].qualname),
            rows[i].is_match);
    }
}

/* ---- faults ---- */

static void test_stat(void **state)
{
    static const struct {
        const char *text;
        int64_t faults;
    } rows[] = {
        {"7 (python3) S 1 2 3 4 5 6 1234 0 0", 1234},
        {"7 (a) b) (c d) R 1 2 3 4 5 6 99 0", 99},
        {"7 (python3) S 1 2 3 4 5 6 12", 12},
        {"7 (python3) S 1 2 3 4 5 6 ", -1},
        {"7 (python3) S 1 2 3", -1},
        {"7 (python3) S 1 2 3 4 5 6 x", -1},
        {"7 python3 S 1 2 3 4 5 6 1", -1},
        {"", -1},
        {"7 (python3)", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].text);
        char *exact = malloc(length + 1); /* without a terminator: a sanitizer sees the bound */

        print_message("%s\n", rows[i].text);
        memcpy(exact, rows[i].text, length);
        assert_int_equal(mprof__fault_counter_parse(exact, length), rows[i].faults);
        free(exact);
    }
}

static void test_own_faults(void **state)
{
    enum { PAGES = 500 };
    mprof__fault_counter counter;
    long page = sysconf(_SC_PAGESIZE);

    (void)state;
    mprof__fault_counter_open(&counter, getpid(), getpid());
    assert_true(mprof__fault_counter_advance(&counter) > 0);
    char *pages = aligned_alloc((size_t)page, (size_t)(PAGES * page));
    assert_non_null(pages);
    for (long i = 0; i < PAGES; i++) {
        ((volatile char *)pages)[i * page] = 1;
    }
    int64_t faults = mprof__fault_counter_advance(&counter);
    assert_true(faults >= PAGES / 2 && faults < PAGES + 400);
    free(pages);
    mprof__fault_counter_close(&counter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_growth_counts_for_the_whole_stack),
        cmocka_unit_test(test_growth_is_doubtful_after_a_late_sample),
        cmocka_unit_test(test_spans_end_with_the_recorded_call_around_them),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_own_frames),
        cmocka_unit_test(test_stacks_without_own_frames),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_stat),
        cmocka_unit_test(test_own_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
