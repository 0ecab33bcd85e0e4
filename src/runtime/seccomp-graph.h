#pragma once

/*
 * A filter as a graph without duplicates: each node is one instruction and knows what comes after it, so that ways with the same end share it.
 * A node is made after those it leads to; from a root it becomes a program again. Of the module `seccomp`.
 */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRAPH_NODES_MAX 32768u /* libseccomp's program for podman's profile needs 300; one that needs more than this is left as it is */

/** Names a node; 0 is none: something failed before, graph_failed() says so */
typedef uint32_t GraphNode;

typedef struct Graph Graph;

/** graph_new() - NULL without memory */
Graph *graph_new(void);

/** graph_free() */
void graph_free(Graph *graph);
static inline void graph_freep(Graph **graph) {
        graph_free(*graph);
}

/** graph_return() - the end of a way, with the kernel's SECCOMP_RET_* */
GraphNode graph_return(Graph *graph, uint32_t action);

/** graph_load() - a word of struct seccomp_data, by its offset in bytes; @next itself when that does not look at it */
GraphNode graph_load(Graph *graph, uint32_t offset, GraphNode next);

/** graph_and() - mask what was loaded; @next itself when that does not look at it */
GraphNode graph_and(Graph *graph, uint32_t mask, GraphNode next);

/** graph_jump() - by what was loaded; @code: BPF_JMP | … | BPF_K. One of the two when they are the same */
GraphNode graph_jump(Graph *graph, uint16_t code, uint32_t k, GraphNode yes, GraphNode no);

/** graph_failed() - it was too much, or memory ran out: no node of it is to be used */
bool graph_failed(const Graph *graph);

/**
 * graph_write() - the program that begins at @root
 * @max:     instructions that @program has room for
 * @program: undefined when it does not fit
 *
 * Returns: instructions written; 0: more than @max
 */
size_t graph_write(const Graph *graph, GraphNode root, struct sock_filter *program, size_t max);
