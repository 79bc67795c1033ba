/* Writes the numbers of a tree of calls; script/tree.js reads them. */
#include "tree_data.h"

#include "number_stream.h"
#include "render/figure/call_tree_figure.h"
#include "xml.h"

#include <math.h>

/* Units of the numbers: exact enough for any text, and short. */
#define PER_MIB 1024.0
#define PER_SECOND 1e6

static void put_scaled(mprof_output *output, double value, double scale)
{
    double scaled = round(value * scale);
    mprof__put_count(output, scaled > 0 ? (uint64_t)fmin(scaled, 0x1p53) : 0);
}

static void put_doubt(mprof_output *output, const mprof_estimate *estimate, double scale)
{
    put_scaled(output, fmax(estimate->high - estimate->value, estimate->value - estimate->low),
               scale);
}

/* For each node: its caller + 1, function, calls; growth, own growth, release, own release, time,
 * own time, memory x time, own memory x time; peak, 0 if unknown; how far growth, release and time
 * may be off. A caller comes before what it calls. */
static void put_node(mprof_output *output, const mprof_call_node *node)
{
    const mprof_call_sum *total = &node->total, *own = &node->own;
    mprof__put_count(output, node->parent == MPROF_CALL_NODE_NONE ? 0 : node->parent + 1u);
    mprof__put_count(output, node->function);
    mprof__put_count(output, node->call_count);
    put_scaled(output, total->growth_mib.value, PER_MIB);
    put_scaled(output, own->growth_mib.value, PER_MIB);
    put_scaled(output, total->release_mib.value, PER_MIB);
    put_scaled(output, own->release_mib.value, PER_MIB);
    put_scaled(output, total->time_s.value, PER_SECOND);
    put_scaled(output, own->time_s.value, PER_SECOND);
    put_scaled(output, total->memory_time_mib_s, PER_MIB);
    put_scaled(output, own->memory_time_mib_s, PER_MIB);
    put_scaled(output, isnan(node->peak_mib) ? 0 : node->peak_mib, PER_MIB);
    put_doubt(output, &total->growth_mib, PER_MIB);
    put_doubt(output, &total->release_mib, PER_MIB);
    put_doubt(output, &total->time_s, PER_SECOND);
}

/* For each box in drawing order: 4 * (node + 1), plus 2 on the left side, plus 1 outside of calls;
 * less than 4: the script has no number of it. */
static void put_places(mprof_output *output, const struct mprof__tree_table *table)
{
    for (size_t i = 0; i < table->place_count; i++) {
        const mprof__tree_place *place = &table->places[i];
        uint64_t node = place->node == UINT32_MAX ? 0 : (uint64_t)place->node + 1;
        mprof__put_count(output, 4 * node + (place->is_release ? 2 : 0) + place->is_outside);
    }
}

void mprof__put_tree_data(mprof_output *output, const mprof_figure *figure)
{
    const struct mprof__tree_table *table = figure->tree_table;
    size_t count;
    (void)mprof_figure_functions(figure, &count);
    if (!table) {
        return;
    }
    mprof__putf(output, ",\n\"tree\":{\"by\":%d,\"duration\":%.17g,\"box\":[%g,%g,%g,%g],",
                table->measure, table->duration_s, table->box.x, table->box.y, table->box.width,
                table->box.height);
    mprof__putf(output, "\"row\":%g,\"gap\":%g,\"least\":%g,\"colours\":[", table->row_px,
                table->gap_px, table->least_px);
    for (size_t i = 0; i < count; i++) {
        mprof__putf(output, i ? ",%d" : "%d", table->colours[i]);
    }
    mprof__put(output, "],\n\"nodes\":\"");
    for (size_t i = 0; i < table->node_count; i++) {
        put_node(output, &table->nodes[i]);
    }
    mprof__put(output, "\",\n\"places\":\"");
    put_places(output, table);
    mprof__put(output, "\"}");
}
