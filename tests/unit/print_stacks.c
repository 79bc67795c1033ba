/* print-stacks PID [SAMPLES [INTERVAL_US]]: one line of JSON for each sample of a process's stacks:
 * its threads, with frames of [module, qualname, file, line, first line, address], innermost first.
 * print-stacks --folded ...: how often each stack was seen, outermost first: "12 a;b;c".
 * print-stacks --cost ...: the median CPU time of a sample in microseconds, and the number of
 * frames. A reason why stacks cannot be read goes to standard error; then the exit code is 1. */
#include "parse/array.h"
#include "record/stacks/python_layout.h"
#include "record/stacks/python_stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void print_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < 32 || byte == '"' || byte == '\\') {
            printf("\\u%04x", byte);
        } else {
            putchar(byte);
        }
    }
    putchar('"');
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void print_thread(const mprof__python_thread *thread)
{
    printf("{\"tid\": %lld, \"state\": %llu, \"interpreter\": %lld, \"has_gil\": %s, \"is_cut\": "
           "%s, \"is_torn\": %s, \"is_unchanged\": %s, \"frames\": [",
           (long long)thread->tid, (unsigned long long)thread->state,
           (long long)thread->interpreter, truth(thread->has_gil), truth(thread->is_cut),
           truth(thread->is_torn), truth(thread->is_unchanged));
    for (size_t i = 0; i < thread->count; i++) {
        const mprof__python_frame *frame = &thread->frames[i];

        printf(i > 0 ? ", [" : "[");
        print_text(frame->code->module);
        printf(", ");
        print_text(frame->code->qualname);
        printf(", ");
        print_text(frame->code->file);
        printf(", %d, %d, %llu]", frame->line, frame->code->first_line,
               (unsigned long long)frame->address);
    }
    printf("]}");
}

static void print_sample(const mprof__python_sample *sample)
{
    printf("{\"knows_gil\": %s, \"is_cut\": %s, \"threads\": [", truth(sample->knows_gil),
           truth(sample->is_cut));
    for (size_t i = 0; i < sample->count; i++) {
        printf(i > 0 ? ", " : "");
        print_thread(&sample->threads[i]);
    }
    printf("]}\n");
    fflush(stdout);
}

/* ---- folded stacks ---- */

typedef struct folded {
    char *stack;
    unsigned count;
} folded;

static folded *all;
static size_t all_count;

static void fold_thread(const mprof__python_thread *thread)
{
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (!stream) {
        abort();
    }
    for (size_t i = thread->count; i > 0; i--) {
        fprintf(stream, "%s%s", thread->frames[i - 1].code->qualname, i > 1 ? ";" : "");
    }
    fprintf(stream, "%s", thread->is_torn ? ";~" : "");
    fclose(stream);
    for (size_t i = 0; i < all_count; i++) {
        if (strcmp(all[i].stack, text) == 0) {
            all[i].count++;
            free(text);
            return;
        }
    }
    all = realloc(all, (all_count + 1) * sizeof *all);
    if (!all) {
        abort();
    }
    all[all_count++] = (folded){text, 1};
}

static void print_folded(void)
{
    for (size_t i = 0; i < all_count; i++) {
        printf("%u %s\n", all[i].count, all[i].stack);
        free(all[i].stack);
    }
    free(all);
}

/* ---- offsets ---- */

#define FIELD(field)                                                                               \
    {                                                                                              \
        #field, offsetof(mprof__python_layout, field)                                              \
    }

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    FIELD(runtime_interpreters), FIELD(runtime_gil_holder), FIELD(runtime_gil_locked),
    FIELD(interpreter_next),     FIELD(interpreter_id),     FIELD(interpreter_threads),
    FIELD(interpreter_gil),      FIELD(gil_holder),         FIELD(gil_locked),
    FIELD(thread_next),          FIELD(thread_interpreter), FIELD(thread_frame),
    FIELD(holder_frame),         FIELD(thread_id),          FIELD(thread_native_id),
    FIELD(frame_previous),       FIELD(frame_code),         FIELD(frame_globals),
    FIELD(frame_instruction),    FIELD(frame_stacktop),     FIELD(frame_is_entry),
    FIELD(frame_executing),      FIELD(frame_owner),        FIELD(code_name),
    FIELD(code_qualname),        FIELD(code_file),          FIELD(code_first_line),
    FIELD(code_lines),           FIELD(code_consts),        FIELD(code_version),
    FIELD(code_bytecode),        FIELD(text_ascii),         FIELD(text_compact),
};

static int print_layout(int64_t pid)
{
    mprof_error error = MPROF_ERROR_INIT;
    mprof__python_stacks *stacks;

    if (mprof__python_stacks_open(&stacks, pid, NULL, &error) != MPROF_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    const char *layout = (const char *)mprof__python_stacks_layout(stacks);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint16_t value;

        memcpy(&value, layout + fields[i].offset, sizeof value);
        printf("%s %d\n", fields[i].name, value == MPROF__NO_FIELD ? -1 : value);
    }
    printf("object_type %d\ntype_name %d\nbytes_size %d\nbytes_data %d\n", MPROF__OBJECT_TYPE,
           MPROF__TYPE_NAME, MPROF__BYTES_SIZE, MPROF__BYTES_DATA);
    printf("text_length %d\ntext_state %d\ndict_keys %d\ndict_values %d\n", MPROF__TEXT_LENGTH,
           MPROF__TEXT_STATE, MPROF__DICT_KEYS, MPROF__DICT_VALUES);
    mprof__python_stacks_close(stacks);
    return 0;
}

/* ---- the rest ---- */

static size_t frames_of(const mprof__python_sample *sample)
{
    size_t count = 0;

    for (size_t i = 0; i < sample->count; i++) {
        count += sample->threads[i].count;
    }
    return count;
}

static int run(const char *mode, int64_t pid, long samples, long interval_us)
{
    mprof__python_sample sample = {0};
    mprof_error error = MPROF_ERROR_INIT;
    mprof__python_stacks *stacks;
    double *times = calloc((size_t)samples, sizeof *times);
    long taken = 0;
    size_t frames = 0;

    mprof_status status = mprof__python_stacks_open(&stacks, pid, NULL, &error);
    for (; times && status == MPROF_OK && taken < samples; taken++) {
        double start = cpu_us();
        status = mprof__python_stacks_read(stacks, &sample, &error);
        times[taken] = cpu_us() - start;
        if (status != MPROF_OK) {
            break;
        }
        frames = frames_of(&sample);
        if (strcmp(mode, "--folded") == 0) {
            for (size_t i = 0; i < sample.count; i++) {
                fold_thread(&sample.threads[i]);
            }
        } else if (strcmp(mode, "--cost") != 0) {
            print_sample(&sample);
        }
        if (interval_us > 0) {
            usleep((useconds_t)interval_us);
        }
    }
    if (status != MPROF_OK) {
        fprintf(stderr, "%s\n", error.message);
    }
    if (strcmp(mode, "--cost") == 0 && taken > 0) {
        qsort(times, (size_t)taken, sizeof *times, mprof__compare_doubles);
        printf("%.1f %zu\n", times[taken / 2], frames);
    }
    print_folded();
    mprof__python_sample_free(&sample);
    mprof__python_stacks_close(stacks);
    free(times);
    return status == MPROF_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 && strncmp(argv[1], "--", 2) == 0 ? argv[1] : "";
    int first = *mode ? 2 : 1;

    if (argc <= first) {
        fprintf(stderr,
                "usage: print-stacks [--folded|--cost|--layout] PID [SAMPLES [INTERVAL_US]]\n");
        return 2;
    }
    if (strcmp(mode, "--layout") == 0) {
        return print_layout(strtoll(argv[first], NULL, 10));
    }
    return run(mode, strtoll(argv[first], NULL, 10),
               argc > first + 1 ? strtol(argv[first + 1], NULL, 10) : 1,
               argc > first + 2 ? strtol(argv[first + 2], NULL, 10) : 0);
}
