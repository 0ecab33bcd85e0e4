/*
 * The same answers by fewer instructions. The kernel checks, translates and tries out a filter each time it is loaded, which costs a
 * container's start more than most other things; libseccomp names every system call of every architecture, where ranges of numbers do.
 *
 * For each architecture and each range of numbers that the program does not tell apart it is run, with the arguments left open: what is
 * left of it is an action, or comparisons of arguments. Neighbours of which the same is left become one range, and ranges are searched.
 */

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/seccomp-graph.h"
#include "runtime/seccomp-module.h"

#define OFFSET_NR   ((uint32_t) offsetof(struct seccomp_data, nr))
#define OFFSET_ARCH ((uint32_t) offsetof(struct seccomp_data, arch))

#define BIT_MIN    26u   /* a test of this bit or a higher one cuts all numbers into 64 ranges at most; x32 has bit 30 */
#define STARTS_MAX 8192u /* ranges: each instruction tells two apart, a test of a bit more */

/* What the accumulator may hold, as bits */
enum {
        HOLDS_NOTHING = 1,
        HOLDS_NR = 2,
        HOLDS_ARCH = 4,
        HOLDS_ARGUMENT = 8,
};

/* First numbers of ranges that a program does not tell apart; sorted, beginning with 0. */
typedef struct Starts {
        uint32_t at[STARTS_MAX];
        size_t n;
} Starts;

typedef struct Range {
        uint32_t start;
        GraphNode node;
} Range;

typedef struct Shrinker {
        const struct sock_filter *program;
        size_t length;
        Graph *graph;
        Starts architectures, numbers;
        uint32_t arch, nr;               /* the case that is looked at */
        GraphNode left[BPF_MAXINSNS];    /* of the program from there on, with an argument loaded; in that case only: */
        uint32_t cases[BPF_MAXINSNS], n; /* which of n cases left[] is of */
} Shrinker;

static void start_add(Starts *starts, uint32_t k) {
        if (starts->n < STARTS_MAX)
                starts->at[starts->n] = k;
        starts->n++;
}

/* Where a comparison's outcome changes. False: in more places than we would go through. */
static bool starts_note(Starts *starts, const struct sock_filter *op) {
        switch (BPF_OP(op->code)) {
        case BPF_JEQ:
                start_add(starts, op->k);
                __attribute__((fallthrough));
        case BPF_JGT:
                if (op->k < UINT32_MAX)
                        start_add(starts, op->k + 1);
                return true;
        case BPF_JGE:
                start_add(starts, op->k);
                return true;
        default: /* JSET */
                if (op->k < (1u << BIT_MIN) || (op->k & (op->k - 1)))
                        return false;
                for (uint64_t k = op->k; k <= UINT32_MAX; k += op->k)
                        start_add(starts, (uint32_t) k);
                return true;
        }
}

static int by_number(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return (x > y) - (x < y);
}

static bool starts_settle(Starts *starts) {
        size_t n = 0;

        start_add(starts, 0);
        if (starts->n > STARTS_MAX)
                return false;
        qsort(starts->at, starts->n, sizeof(*starts->at), by_number);
        for (size_t i = 0; i < starts->n; i++)
                if (n == 0 || starts->at[i] != starts->at[n - 1])
                        starts->at[n++] = starts->at[i];
        starts->n = n;
        return true;
}

static bool is_jump(uint16_t code) {
        return code == (BPF_JMP | BPF_JEQ | BPF_K) || code == (BPF_JMP | BPF_JGT | BPF_K) || code == (BPF_JMP | BPF_JGE | BPF_K) ||
               code == (BPF_JMP | BPF_JSET | BPF_K);
}

/* Collects the ranges. False: it has what libseccomp does not write, and is left as it is. */
static bool survey(Shrinker *s) {
        _cleanup_free_ uint8_t *holds = calloc(s->length, sizeof(*holds));

        if (!holds)
                return false;
        holds[0] = HOLDS_NOTHING;
        for (size_t i = 0; i < s->length; i++) {
                const struct sock_filter *op = &s->program[i];
                uint8_t after = holds[i];
                size_t rest = s->length - i - 1;

                if (op->code == (BPF_RET | BPF_K))
                        continue;
                if (op->code == (BPF_JMP | BPF_JA)) {
                        if (op->k >= rest)
                                return false;
                        holds[i + 1 + op->k] |= after;
                        continue;
                }
                if (is_jump(op->code)) {
                        if (op->jt >= rest || op->jf >= rest || (after & HOLDS_NOTHING) ||
                            ((after & HOLDS_NR) && !starts_note(&s->numbers, op)) ||
                            ((after & HOLDS_ARCH) && !starts_note(&s->architectures, op)))
                                return false;
                        holds[i + 1 + op->jt] |= after;
                        holds[i + 1 + op->jf] |= after;
                        continue;
                }
                if (op->code == (BPF_LD | BPF_W | BPF_ABS))
                        after = op->k == OFFSET_NR ? HOLDS_NR : op->k == OFFSET_ARCH ? HOLDS_ARCH : HOLDS_ARGUMENT;
                else if (op->code != (BPF_ALU | BPF_AND | BPF_K) || (after & ~HOLDS_ARGUMENT))
                        return false;
                if (rest == 0)
                        return false;
                holds[i + 1] |= after;
        }
        return starts_settle(&s->numbers) && starts_settle(&s->architectures);
}

static size_t target(size_t at, const struct sock_filter *op, uint32_t value) {
        bool yes;

        switch (BPF_OP(op->code)) {
        case BPF_JEQ:
                yes = value == op->k;
                break;
        case BPF_JGT:
                yes = value > op->k;
                break;
        case BPF_JGE:
                yes = value >= op->k;
                break;
        default:
                yes = value & op->k;
                break;
        }
        return at + 1 + (yes ? op->jt : op->jf);
}

static GraphNode left_after_load(Shrinker *s, size_t at);

/* What is left of the program from @at on, with @value in the accumulator. survey() has seen that this ends. */
static GraphNode left_with(Shrinker *s, size_t at, uint32_t value) {
        for (;;) {
                const struct sock_filter *op = &s->program[at];

                switch (BPF_CLASS(op->code)) {
                case BPF_RET:
                        return graph_return(s->graph, op->k);
                case BPF_LD:
                        if (op->k != OFFSET_NR && op->k != OFFSET_ARCH)
                                return graph_load(s->graph, op->k, left_after_load(s, at + 1));
                        value = op->k == OFFSET_NR ? s->nr : s->arch;
                        at++;
                        break;
                default:
                        at = BPF_OP(op->code) == BPF_JA ? at + 1 + op->k : target(at, op, value);
                }
        }
}

/* The same with an argument in the accumulator. */
static GraphNode left_after_load(Shrinker *s, size_t at) {
        const struct sock_filter *op = &s->program[at];
        GraphNode node;

        if (s->cases[at] == s->n)
                return s->left[at];
        if (BPF_CLASS(op->code) == BPF_ALU)
                node = graph_and(s->graph, op->k, left_after_load(s, at + 1));
        else if (BPF_CLASS(op->code) != BPF_JMP)
                node = left_with(s, at, 0);
        else if (BPF_OP(op->code) == BPF_JA)
                node = left_after_load(s, at + 1 + op->k);
        else
                node = graph_jump(s->graph, op->code, op->k, left_after_load(s, at + 1 + op->jt), left_after_load(s, at + 1 + op->jf));
        s->cases[at] = s->n;
        s->left[at] = node;
        return node;
}

static size_t range_add(Range *ranges, size_t n, uint32_t start, GraphNode node) {
        if (n > 0 && ranges[n - 1].node == node)
                return n;
        ranges[n] = (Range) { start, node };
        return n + 1;
}

/* How many of @ranges are one range but for single numbers in it. Comparing with those is cheaper than with two ends. */
static size_t group_length(const Range *ranges, size_t n) {
        size_t length = 1;

        while (length < 7 && length + 1 < n && ranges[length + 1].node == ranges[0].node &&
               ranges[length + 1].start == ranges[length].start + 1)
                length += 2;
        return length;
}

static GraphNode group_search(Graph *graph, const Range *ranges, size_t length) {
        GraphNode node = ranges[0].node;

        for (size_t i = 1; i < length; i += 2)
                node = graph_jump(graph, BPF_JMP | BPF_JEQ | BPF_K, ranges[i].start, ranges[i].node, node);
        return node;
}

/* Halves the groups that begin at @groups[0], …, and end at @groups[n]. */
static GraphNode groups_search(Graph *graph, const Range *ranges, const size_t *groups, size_t n) {
        size_t middle = n / 2;

        if (n == 1)
                return group_search(graph, ranges + groups[0], groups[1] - groups[0]);
        return graph_jump(graph, BPF_JMP | BPF_JGE | BPF_K, ranges[groups[middle]].start,
                          groups_search(graph, ranges, groups + middle, n - middle), groups_search(graph, ranges, groups, middle));
}

static GraphNode ranges_search(Graph *graph, const Range *ranges, size_t n, size_t *groups) {
        size_t n_groups = 0;

        for (size_t i = 0; i < n; i += group_length(ranges + i, n - i))
                groups[n_groups++] = i;
        groups[n_groups] = n;
        return groups_search(graph, ranges, groups, n_groups);
}

static GraphNode specialize(Shrinker *s) {
        _cleanup_free_ Range *architectures = calloc(s->architectures.n, sizeof(*architectures));
        _cleanup_free_ Range *numbers = calloc(s->numbers.n, sizeof(*numbers));
        const size_t most = s->architectures.n > s->numbers.n ? s->architectures.n : s->numbers.n;
        _cleanup_free_ size_t *groups = calloc(most + 1, sizeof(*groups));
        size_t n_architectures = 0;

        if (!architectures || !numbers || !groups)
                return 0;
        for (size_t a = 0; a < s->architectures.n; a++) {
                size_t n_numbers = 0;

                s->arch = s->architectures.at[a];
                for (size_t i = 0; i < s->numbers.n; i++) {
                        s->nr = s->numbers.at[i];
                        s->n++;
                        n_numbers = range_add(numbers, n_numbers, s->nr, left_with(s, 0, 0));
                }
                n_architectures = range_add(architectures, n_architectures, s->arch,
                                            graph_load(s->graph, OFFSET_NR, ranges_search(s->graph, numbers, n_numbers, groups)));
                if (graph_failed(s->graph))
                        return 0;
        }
        return graph_load(s->graph, OFFSET_ARCH, ranges_search(s->graph, architectures, n_architectures, groups));
}

size_t seccomp_shrink(struct sock_filter *program, size_t length) {
        _cleanup_(graph_freep) Graph *graph = graph_new();
        _cleanup_free_ Shrinker *s = calloc(1, sizeof(*s));
        _cleanup_free_ struct sock_filter *shorter = calloc(length, sizeof(*shorter));
        GraphNode root;
        size_t n;

        if (!graph || !s || !shorter || length == 0 || length > BPF_MAXINSNS)
                return length;
        s->program = program;
        s->length = length;
        s->graph = graph;
        if (!survey(s))
                return length;
        root = specialize(s);
        if (graph_failed(graph))
                return length;
        n = graph_write(graph, root, shorter, length - 1);
        if (n == 0)
                return length;
        memcpy(program, shorter, n * sizeof(*program));
        return n;
}
