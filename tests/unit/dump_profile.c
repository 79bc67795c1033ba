/* Prints a recording as JSON, for tests in other languages that compare values with an oracle.
 * Usage: dump-profile [--window A,B] [--max-points N] [--silent] FILE
 * Doubles are printed with 17 digits, so that they come back bit for bit. */
#include <math.h>
#include <mprof/profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_text(const char *text)
{
    putchar('"');
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at < 0x20 || *at == '"' || *at == '\\' || *at >= 0x7f) {
            printf("\\u%04x", *at); /* bytes as Latin-1: the reader encodes them back */
        } else {
            putchar(*at);
        }
    }
    putchar('"');
}

static void print_number(double value)
{
    if (isnan(value)) {
        fputs("null", stdout);
    } else {
        printf("%.17g", value);
    }
}

static void print_pair(mprof_sample sample)
{
    putchar('[');
    print_number(sample.mib);
    putchar(',');
    print_number(sample.time_s);
    putchar(']');
}

static void print_field(const char *name, double value)
{
    printf("\"%s\":", name);
    print_number(value);
    putchar(',');
}

static void print_series(const char *name, const mprof_series *series)
{
    printf("\"%s\":{", name);
    printf("\"sample_count\":%llu,", (unsigned long long)series->sample_count);
    print_field("first_s", series->first_s);
    print_field("last_s", series->last_s);
    print_field("lowest_mib", series->lowest_mib);
    print_field("slope", series->slope_mib_per_s);
    print_field("offset", series->slope_offset_mib);
    print_field("mean_mib", series->mean_mib);
    fputs("\"peak\":", stdout);
    print_pair(series->peak);
    fputs(",\"points\":[", stdout);
    for (size_t i = 0; i < series->point_count; i++) {
        fputs(i ? "," : "", stdout);
        print_pair(series->points[i]);
    }
    fputs("]}", stdout);
}

static void print_functions(const mprof_profile *profile)
{
    size_t count;
    const mprof_function *functions = mprof_profile_functions(profile, &count);
    fputs("\"functions\":[", stdout);
    for (size_t i = 0; i < count; i++) {
        const mprof_function *function = &functions[i];
        fputs(i ? ",{\"name\":" : "{\"name\":", stdout);
        print_text(function->name);
        fputs(",\"label\":", stdout);
        print_text(function->label);
        printf(",\"call_count\":%llu,", (unsigned long long)function->call_count);
        print_field("total_s", function->total_s);
        print_field("own_s", function->own_s);
        print_field("longest_s", function->longest_s);
        print_field("change_mib", function->change_mib);
        print_field("sample_peak_mib", function->sample_peak_mib);
        fputs("\"peak_mib\":", stdout);
        print_number(function->peak_mib);
        putchar('}');
    }
    fputs("],", stdout);
}

static void print_spans(const mprof_profile *profile)
{
    size_t count;
    const mprof_span *spans = mprof_profile_spans(profile, &count);
    fputs("\"spans\":[", stdout);
    for (size_t i = 0; i < count; i++) {
        const mprof_span *span = &spans[i];
        fputs(i ? ",{\"enter\":" : "{\"enter\":", stdout);
        print_pair(span->enter);
        fputs(",\"exit\":", stdout);
        print_pair(span->exit);
        printf(
            ",\"function\":%u,\"process\":%u,\"lane\":%u,\"level\":%d,\"count\":%llu,\"open\":%u}",
            span->function, span->process, span->lane, span->level, (unsigned long long)span->count,
            span->open);
    }
    fputs("],", stdout);
}

static void print_processes(const mprof_profile *profile)
{
    size_t count;
    const mprof_process *processes = mprof_profile_processes(profile, &count);
    fputs("\"processes\":[", stdout);
    for (size_t i = 0; i < count; i++) {
        const mprof_process *process = &processes[i];
        printf("%s{\"pid\":%lld,\"ppid\":%lld,\"name\":", i ? "," : "", (long long)process->pid,
               (long long)process->ppid);
        print_text(process->name);
        putchar(',');
        print_field("birth_s", process->birth_s);
        print_field("end_s", process->end_s);
        print_field("kernel_peak_mib", process->kernel_peak_mib);
        printf("\"ended\":%d,\"cause\":%d,\"exit_value\":%lld,", process->ended,
               (int)process->cause, (long long)process->exit_value);
        print_series("series", &process->series);
        putchar('}');
    }
    fputs("],", stdout);
}

static void print_lanes(const mprof_profile *profile)
{
    size_t count;
    const mprof_lane *lanes = mprof_profile_lanes(profile, &count);
    fputs("\"lanes\":[", stdout);
    for (size_t i = 0; i < count; i++) {
        printf("%s{\"process\":%u,\"max_level\":%d,\"name\":", i ? "," : "", lanes[i].process,
               lanes[i].max_level);
        print_text(lanes[i].name);
        putchar('}');
    }
    fputs("],", stdout);
}

static void print_facts(const mprof_profile *profile)
{
    size_t count;
    const mprof_fact *facts = mprof_profile_facts(profile, &count);
    fputs("\"facts\":[", stdout);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ",[" : "[", stdout);
        print_text(facts[i].key);
        putchar(',');
        print_text(facts[i].value);
        putchar(']');
    }
    fputs("],", stdout);
}

static void print_warnings(const mprof_profile *profile)
{
    const mprof_warnings *warnings = mprof_profile_warnings(profile);
    fputs("\"warnings\":[", stdout);
    for (int i = 0; i < MPROF_WARNING_COUNT; i++) {
        printf("%s[%llu,%lu]", i ? "," : "", (unsigned long long)warnings->count[i],
               warnings->first_line[i]);
    }
    fputs("]", stdout);
}

static void print_profile(const mprof_profile *profile)
{
    putchar('{');
    fputs("\"command_line\":", stdout);
    print_text(mprof_profile_command_line(profile));
    putchar(',');
    print_field("start_s", mprof_profile_start_s(profile));
    print_field("end_s", mprof_profile_end_s(profile));
    printf("\"lost_calls\":%llu,", (unsigned long long)mprof_profile_lost_calls(profile));
    print_series("samples", mprof_profile_samples(profile));
    putchar(',');
    print_series("line", mprof_profile_line(profile));
    putchar(',');
    print_processes(profile);
    print_lanes(profile);
    print_functions(profile);
    print_spans(profile);
    print_facts(profile);
    print_warnings(profile);
    puts("}");
}

int main(int argc, char **argv)
{
    mprof_load_options options;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_profile *profile;
    const char *path = "-";
    int is_silent = 0;
    mprof_load_options_init(&options, sizeof options);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--window") == 0 && i + 1 < argc) {
            sscanf(argv[++i], "%lf,%lf", &options.window_s[0], &options.window_s[1]);
        } else if (strcmp(argv[i], "--max-points") == 0 && i + 1 < argc) {
            options.max_points = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--silent") == 0) {
            is_silent = 1;
        } else {
            path = argv[i];
        }
    }
    if (mprof_profile_load_file(&profile, path, &options, &error) != MPROF_OK) {
        char text[600];
        mprof_error_format(&error, text, sizeof text);
        fprintf(stderr, "%s\n", text);
        return 1;
    }
    if (!is_silent) {
        print_profile(profile);
    }
    mprof_profile_free(profile);
    return 0;
}
