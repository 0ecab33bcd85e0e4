/* Nodes by what they are, and their way back into a program. Of the module. */

#include "runtime/seccomp-graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define SLOTS    (2 * GRAPH_NODES_MAX) /* a power of two */
#define LOAD     (BPF_LD | BPF_W | BPF_ABS)
#define AND      (BPF_ALU | BPF_AND | BPF_K)
#define RETURN   (BPF_RET | BPF_K)
#define GO_ON    (BPF_JMP | BPF_JA)
#define JUMP_MAX 255u /* instructions that a conditional jump skips at most */

typedef struct Node {
        uint16_t code;
        uint32_t k;
        GraphNode yes, no; /* what comes next is in yes, where there is no condition */
} Node;

struct Graph {
        Node nodes[GRAPH_NODES_MAX]; /* the first is none */
        GraphNode slots[SLOTS];
        uint32_t n;
        bool failed;
};

Graph *graph_new(void) {
        Graph *graph = calloc(1, sizeof(*graph));

        if (graph)
                graph->n = 1;
        return graph;
}

void graph_free(Graph *graph) {
        free(graph);
}

bool graph_failed(const Graph *graph) {
        return graph->failed;
}

static bool is_same(const Node *a, const Node *b) {
        return a->code == b->code && a->k == b->k && a->yes == b->yes && a->no == b->no;
}

static uint32_t hash_of(const Node *node) {
        uint64_t hash = node->code;

        hash = (hash ^ node->k) * 0xff51afd7ed558ccdu;
        hash = (hash ^ (hash >> 32) ^ node->yes) * 0xff51afd7ed558ccdu;
        hash = (hash ^ (hash >> 32) ^ node->no) * 0xff51afd7ed558ccdu;
        return (uint32_t) (hash >> 32);
}

static GraphNode node_of(Graph *graph, Node node) {
        uint32_t slot = hash_of(&node) % SLOTS;

        for (; graph->slots[slot]; slot = (slot + 1) % SLOTS)
                if (is_same(&graph->nodes[graph->slots[slot]], &node))
                        return graph->slots[slot];
        if (graph->n == GRAPH_NODES_MAX) {
                graph->failed = true;
                return 0;
        }
        graph->nodes[graph->n] = node;
        graph->slots[slot] = graph->n;
        return graph->n++;
}

/* What was loaded before does not matter to it. */
static bool loads_or_returns(const Graph *graph, GraphNode node) {
        uint16_t code = graph->nodes[node].code;

        return code == LOAD || code == RETURN;
}

GraphNode graph_return(Graph *graph, uint32_t action) {
        return node_of(graph, (Node) { .code = RETURN, .k = action });
}

GraphNode graph_load(Graph *graph, uint32_t offset, GraphNode next) {
        return loads_or_returns(graph, next) ? next : node_of(graph, (Node) { .code = LOAD, .k = offset, .yes = next });
}

GraphNode graph_and(Graph *graph, uint32_t mask, GraphNode next) {
        return loads_or_returns(graph, next) ? next : node_of(graph, (Node) { .code = AND, .k = mask, .yes = next });
}

GraphNode graph_jump(Graph *graph, uint16_t code, uint32_t k, GraphNode yes, GraphNode no) {
        return yes == no ? yes : node_of(graph, (Node) { .code = code, .k = k, .yes = yes, .no = no });
}

/* The program is written from its end, as jumps lead forward only: what a node leads to is there before it. */
typedef struct Writer {
        const Graph *graph;
        struct sock_filter *reversed;
        size_t n, max;
        size_t *places; /* of each node that is written, counted from the end and beginning with 1 */
} Writer;

/* Returns the place. Past the end nothing is written, but counted. */
static size_t put(Writer *w, struct sock_filter instruction) {
        if (w->n < w->max)
                w->reversed[w->n] = instruction;
        return ++w->n;
}

/* How many instructions one that is written next has to skip to get to @place. */
static size_t distance(const Writer *w, size_t place) {
        return w->n - place;
}

/* A step on the way to what is too far, or not the next: a return is written again. */
static size_t put_step(Writer *w, GraphNode target) {
        const Node *node = &w->graph->nodes[target];

        if (node->code == RETURN)
                return w->places[target] = put(w, (struct sock_filter) BPF_STMT(RETURN, node->k));
        return put(w, (struct sock_filter) BPF_STMT(GO_ON, (uint32_t) distance(w, w->places[target])));
}

static void put_jump(Writer *w, const Node *node) {
        size_t yes, no;

        if (distance(w, w->places[node->yes]) >= JUMP_MAX) /* the other step may come in between */
                yes = put_step(w, node->yes);
        else
                yes = w->places[node->yes];
        no = distance(w, w->places[node->no]) > JUMP_MAX ? put_step(w, node->no) : w->places[node->no];
        (void) put(w, (struct sock_filter) BPF_JUMP(node->code, node->k, (uint8_t) distance(w, yes), (uint8_t) distance(w, no)));
}

static void write_node(Writer *w, GraphNode which) {
        const Node *node = &w->graph->nodes[which];

        if (w->places[which] || w->n > w->max)
                return;
        if (node->code == RETURN) {
                w->places[which] = put(w, (struct sock_filter) BPF_STMT(RETURN, node->k));
                return;
        }
        write_node(w, node->yes);
        if (node->no) {
                write_node(w, node->no);
                put_jump(w, node);
        } else {
                if (distance(w, w->places[node->yes]) > 0)
                        (void) put_step(w, node->yes);
                (void) put(w, (struct sock_filter) BPF_STMT(node->code, node->k));
        }
        w->places[which] = w->n;
}

size_t graph_write(const Graph *graph, GraphNode root, struct sock_filter *program, size_t max) {
        _cleanup_free_ size_t *places = calloc(GRAPH_NODES_MAX, sizeof(*places));
        Writer w = { .graph = graph, .reversed = program, .max = max, .places = places };

        if (!places || root == 0)
                return 0;
        write_node(&w, root);
        if (w.n > max)
                return 0;
        for (size_t i = 0; i < w.n / 2; i++) {
                struct sock_filter swapped = program[i];

                program[i] = program[w.n - 1 - i];
                program[w.n - 1 - i] = swapped;
        }
        return w.n;
}
