/*
 * The choice of an index's entry for a platform.
 * Source: image-spec, image-index.md "platform"; variants and fallbacks as containerd has them
 */

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "oci/manifest.h"

#define PLATFORMS_TEXT_MAX 512 /* bytes of the list of platforms in an error */

/* What uname says (and what people write) → GOARCH and the variant it implies. */
static const struct {
        const char *machine, *architecture, *variant;
} machines[] = {
        { "x86_64",      "amd64",   NULL },
        { "aarch64",     "arm64",   NULL },
        { "aarch64_be",  "arm64be", NULL },
        { "i386",        "386",     NULL },
        { "i486",        "386",     NULL },
        { "i586",        "386",     NULL },
        { "i686",        "386",     NULL },
        { "armv8l",      "arm",     "v8" },
        { "armv7l",      "arm",     "v7" },
        { "armhf",       "arm",     "v7" },
        { "armv6l",      "arm",     "v6" },
        { "armel",       "arm",     "v6" },
        { "armv5tel",    "arm",     "v5" },
        { "armv5tejl",   "arm",     "v5" },
        { "loongarch64", "loong64", NULL },
        { "mips",        "mips",    NULL },
        { "ppc64le",     "ppc64le", NULL },
        { "riscv64",     "riscv64", NULL },
        { "s390x",       "s390x",   NULL },
};

/* Architectures whose variants are levels: a machine runs its own and every lower one. What no variant means: */
static const struct {
        const char *architecture;
        unsigned level;
} level_defaults[] = {
        { "amd64", 1 },
        { "arm64", 8 },
        { "arm",   7 },
};

/* What a machine also runs, after everything of its own. */
static const struct {
        const char *architecture, *fallback;
} fallbacks[] = {
        { "amd64", "386" },
        { "arm64", "arm" },
};

typedef struct Cpu {
        const char *architecture;
        const char *variant; /* "": none */
        unsigned level;      /* 0: the variant is none, and only equal texts match */
} Cpu;

static Cpu cpu_of(const char *architecture, const char *variant) {
        Cpu cpu = { .architecture = architecture, .variant = variant ?: "" };

        for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
                if (!strcmp(machines[i].machine, architecture)) {
                        cpu.architecture = machines[i].architecture;
                        if (!cpu.variant[0] && machines[i].variant)
                                cpu.variant = machines[i].variant;
                        break;
                }
        for (size_t i = 0; i < ARRAY_SIZE(level_defaults); i++)
                if (!strcmp(level_defaults[i].architecture, cpu.architecture)) {
                        const char *digit = cpu.variant + (cpu.variant[0] == 'v');

                        if (!cpu.variant[0])
                                cpu.level = level_defaults[i].level;
                        else if (digit[0] >= '1' && digit[0] <= '9' && !digit[1])
                                cpu.level = (unsigned) (digit[0] - '0');
                        break;
                }
        return cpu;
}

const char *architecture_of(const char *machine) {
        return cpu_of(machine, NULL).architecture;
}

/* How well @offered runs on @machine; 0: not at all, more is better. */
static unsigned rank_same(const Cpu *machine, const Cpu *offered) {
        if (strcmp(machine->architecture, offered->architecture))
                return 0;
        if (machine->level && offered->level)
                return offered->level <= machine->level ? offered->level : 0;
        return !strcmp(machine->variant, offered->variant);
}

static unsigned rank(const Cpu *machine, const Cpu *offered, bool with_fallback) {
        unsigned same = rank_same(machine, offered);

        if (same)
                return 100 + same;
        for (size_t i = 0; with_fallback && i < ARRAY_SIZE(fallbacks); i++)
                if (!strcmp(fallbacks[i].architecture, machine->architecture)) {
                        Cpu lesser = cpu_of(fallbacks[i].fallback, NULL);

                        if (lesser.level)
                                lesser.level = machine->level;
                        return rank_same(&lesser, offered);
                }
        return 0;
}

static bool is_image(const IndexEntry *entry) {
        const Platform *platform = &entry->platform;

        if (entry->descriptor.type != MEDIA_MANIFEST && entry->descriptor.type != MEDIA_INDEX)
                return false;
        /* buildkit's attestations stand beside the images they are about, under this platform. */
        return !(platform->os && platform->architecture && !strcmp(platform->os, "unknown") && !strcmp(platform->architecture, "unknown"));
}

static int platform_append(Buf *list, const char *os, const char *architecture, const char *variant) {
        return buf_printf(list, NULL, "%s%s/%s%s%s", list->len ? ", " : "", os, architecture, variant && variant[0] ? "/" : "",
                          variant ?: "");
}

/* "linux/arm64, windows/amd64", as far as it fits */
static void list_platforms(const Index *index, Buf *list) {
        for (size_t i = 0; i < index->n_entries; i++) {
                const Platform *platform = &index->entries[i].platform;

                if (!is_image(&index->entries[i]))
                        continue;
                if (platform_append(list, platform->os ?: "unknown", platform->architecture ?: "unknown", platform->variant) < 0)
                        return;
        }
}

int index_choose(const Index *index, const Platform *platform, const char *where, const IndexEntry **ret, Error *err) {
        _cleanup_buf_ Buf wanted = BUF_INIT(PLATFORMS_TEXT_MAX), offered = BUF_INIT(PLATFORMS_TEXT_MAX);
        const IndexEntry *best = NULL, *unnamed = NULL;
        unsigned best_rank = 0, n_unnamed = 0;
        struct utsname host;
        const char *os = platform && platform->os ? platform->os : "linux";
        Cpu machine;

        if (platform && platform->architecture)
                machine = cpu_of(platform->architecture, platform->variant);
        else {
                if (uname(&host) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "%s: read the machine's architecture", where);
                machine = cpu_of(host.machine, NULL);
        }

        for (size_t i = 0; i < index->n_entries; i++) {
                const IndexEntry *entry = &index->entries[i];
                unsigned r;
                Cpu cpu;

                if (!is_image(entry))
                        continue;
                if (!entry->platform.architecture) {
                        unnamed = entry;
                        n_unnamed++;
                        continue;
                }
                if (entry->platform.os && strcmp(entry->platform.os, os))
                        continue;
                cpu = cpu_of(entry->platform.architecture, entry->platform.variant);
                r = rank(&machine, &cpu, !platform);
                if (r > best_rank) {
                        best = entry;
                        best_rank = r;
                }
        }
        if (!best && n_unnamed == 1)
                best = unnamed;
        if (!best) {
                (void) platform_append(&wanted, os, machine.architecture, machine.variant);
                list_platforms(index, &offered);
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "%s: no image for %s%s%s", where, wanted.data ?: "this platform",
                                 offered.len ? "; it has " : "; it has no image at all", offered.data ?: "");
        }
        *ret = best;
        return 0;
}

static bool is_same(const char *wanted, const char *is) {
        return !wanted || !strcmp(architecture_of(wanted), is ?: "");
}

int platform_check(const Platform *wanted, const Platform *is, Error *err) {
        if (!wanted || (is_same(wanted->os, is->os) && is_same(wanted->architecture, is->architecture) &&
                        (!wanted->variant || !is->variant || !strcmp(wanted->variant, is->variant))))
                return 0;
        return error_set(err, ERROR_IMAGE_NOT_FOUND, "it is an image for %s/%s%s%s, not for %s/%s%s%s", is->os ?: "?",
                         is->architecture ?: "?", is->variant ? "/" : "", is->variant ?: "", wanted->os ?: "?",
                         wanted->architecture ?: "?", wanted->variant ? "/" : "", wanted->variant ?: "");
}
