/* See frame_tree.h. */
#include "frame_tree.h"

#include "parse/array.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mprof__frame_tree_open(mprof__frame_tree *tree, mprof__event_log *log)
{
    memset(tree, 0, sizeof *tree);
    tree->log = log;
    tree->by_text.limit = MPROF__FRAME_TREE_FUNCTIONS_MAX;
    tree->nodes.limit = MPROF__FRAME_TREE_NODES_MAX;
}

void mprof__frame_tree_close(mprof__frame_tree *tree)
{
    for (size_t i = 0; i < tree->function_count; i++) {
        free(tree->functions[i].name);
        free(tree->functions[i].file);
    }
    free(tree->functions);
    mprof__number_map_free(&tree->by_text);
    mprof__number_map_free(&tree->nodes);
    memset(tree, 0, sizeof *tree);
}

static char *full_name(const mprof__python_code *code)
{
    char *name = NULL;

    if (!code->module[0]) {
        return strdup(code->qualname[0] ? code->qualname : "?");
    }
    return asprintf(&name, "%s.%s", code->module, code->qualname) < 0 ? NULL : name;
}

static bool is_same(const mprof__frame_function *one, const char *name,
                    const mprof__python_code *code)
{
    return one->line == code->first_line && strcmp(one->name, name) == 0 &&
           strcmp(one->file, code->file) == 0;
}

/* Takes ownership of the name. */
static uint32_t add_function(mprof__frame_tree *tree, uint64_t key, char *name,
                             const mprof__python_code *code)
{
    mprof__frame_function *functions = mprof__array_grow(tree->functions, tree->function_count,
                                                         &tree->function_size, sizeof *functions);
    char *file = strdup(code->file);

    if (functions) {
        tree->functions = functions;
    }
    if (!functions || !file ||
        mprof__number_map_put(&tree->by_text, key, tree->function_count + 1) != MPROF__PUT_DONE) {
        tree->is_full = true;
        free(name);
        free(file);
        return 0;
    }
    functions[tree->function_count++] = (mprof__frame_function){name, file, code->first_line};
    return (uint32_t)tree->function_count;
}

uint32_t mprof__frame_tree_function(mprof__frame_tree *tree, const mprof__python_code *code)
{
    char *name = full_name(code);

    if (!name) {
        return 0;
    }
    uint64_t key = mprof__number_map_key(name, strlen(name)) +
                   31 * mprof__number_map_key(code->file, strlen(code->file)) +
                   (uint32_t)code->first_line;
    for (;; key++) { /* the program chooses the texts: two may have one hash */
        uint32_t found = (uint32_t)mprof__number_map_find(&tree->by_text, key);

        if (found == 0) {
            return add_function(tree, key, name, code);
        }
        if (is_same(&tree->functions[found - 1], name, code)) {
            free(name);
            return found;
        }
    }
}

mprof_text mprof__frame_tree_name(const mprof__frame_tree *tree, uint32_t function)
{
    const char *name = function > 0 ? tree->functions[function - 1].name : "?";

    return (mprof_text){name, strlen(name)};
}

uint32_t mprof__frame_tree_node(mprof__frame_tree *tree, uint32_t parent, uint32_t function)
{
    uint64_t key = (uint64_t)parent << 32 | function;
    uint32_t node = (uint32_t)mprof__number_map_find(&tree->nodes, key);

    if (node != 0 || function == 0) {
        return node ? node : parent;
    }
    if (mprof__number_map_put(&tree->nodes, key, tree->node_count + 1) != MPROF__PUT_DONE) {
        tree->is_full = true;
        return parent;
    }
    const mprof__frame_function *one = &tree->functions[function - 1];
    node = ++tree->node_count;
    mprof__event_log_frame(tree->log, node, parent, one->name, one->file, one->line);
    return node;
}
