/* image list: the images of the store, a row for each name. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cli/images.h"
#include "oci/reference.h"

#define SHORT_ID 12 /* hex digits, as podman and docker show */

typedef struct ImageListArgs {
        bool quiet, full;
        const char *format;
} ImageListArgs;

static const Option image_list_options[] = {
        OPT_FLAG('q', "quiet", ImageListArgs, quiet, "print digests only"),
        OPT_FLAG(0, "no-trunc", ImageListArgs, full, "print whole digests"),
        OPT_STRING('f', "format", ImageListArgs, format, "table|json|names", "form of the list"),
        OPT_END
};

/** One row: what is known of a name. Parts that are not known are NULL or 0 */
typedef struct Row {
        const StoreName *name;
        StoreImage *image;
        ImageConfig *config;
} Row;

static void row_clear(Row *row) {
        store_image_free(row->image);
        image_config_free(row->config);
}

static int row_load(Store *store, const StoreName *name, Row *ret, Error *err) {
        _cleanup_(row_clear) Row row = { .name = name };

        if (image_resolve(store, &name->descriptor, &row.image, err) < 0 || store_image_config(store, row.image, &row.config, err) < 0)
                return error_prefix(err, "image '%s'", name->name ?: name->descriptor.digest.text);
        *ret = row;
        row = (Row) {};
        return 0;
}

static int add_table_row(Table *table, const Row *row, bool full, Error *err) {
        const Digest *digest = row->image ? &row->image->manifest : &row->name->descriptor.digest;
        _cleanup_(reference_freep) Reference *reference = NULL;
        char size[SIZE_TEXT_MAX] = "-", age[AGE_TEXT_MAX], id[sizeof(digest->text)];
        _cleanup_free_ char *repository = NULL;

        if (row->name->name && reference_parse(row->name->name, &reference, NULL) == 0 &&
            string_format(&repository, err, "%s/%s", reference->registry, reference->repository) < 0)
                return -1;
        snprintf(id, sizeof(id), "%.*s", full ? (int) sizeof(id) : SHORT_ID, full ? digest->text : digest_hex(digest));
        if (row->image)
                size_text(row->image->size, size);
        age_text(row->config ? row->config->created : "-", time(NULL), age);
        return TABLE_ADD(table, err, repository ?: row->name->name ?: "<none>", reference && reference->tag ? reference->tag : "<none>", id,
                         age, size);
}

static int row_json(const Row *row, json_t **ret, Error *err) {
        _cleanup_json_ json_t *object = json_object();
        int r = 0;

        if (row->name->name)
                r |= json_object_set_new(object, "name", json_string(row->name->name));
        r |= json_object_set_new(object, "digest", json_string(row->image ? row->image->manifest.text : row->name->descriptor.digest.text));
        if (row->image) {
                r |= json_object_set_new(object, "config", json_string(row->image->config.text));
                r |= json_object_set_new(object, "layers", json_integer((json_int_t) row->image->n_layers));
                r |= json_object_set_new(object, "size", json_integer((json_int_t) row->image->size));
        }
        if (row->config) {
                r |= json_object_set_new(object, "architecture", json_string(row->config->architecture));
                r |= json_object_set_new(object, "os", json_string(row->config->os));
                if (row->config->created)
                        r |= json_object_set_new(object, "created", json_string(row->config->created));
        }
        if (r < 0)
                return error_oom(err);
        *ret = TAKE(object);
        return 0;
}

static int print_names(Cli *cli, const StoreName *names, size_t n, bool digests, Error *err) {
        for (size_t i = 0; i < n; i++) {
                const char *text = digests ? names[i].descriptor.digest.text : names[i].name;
                _cleanup_buf_ Buf printable = BUF_INIT(OUTPUT_MAX);

                if (!text)
                        continue;
                if (text_printable(&printable, text, false, err) < 0 || output_printf(&cli->out, err, "%s\n", printable.data ?: "") < 0)
                        return -1;
        }
        return 0;
}

/* All that can be listed is; an image that can't be read is an error all the same, once the others are shown. */
static int print_rows(Cli *cli, Store *store, const StoreName *names, size_t n, const ImageListArgs *args, Error *err) {
        _cleanup_table_ Table table = TABLE_INIT("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE");
        bool json = args->format && args->format[0] == 'j', failed = false;
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < n; i++) {
                _cleanup_(row_clear) Row row = { .name = &names[i] };
                Error mine = ERROR_INIT;
                json_t *object;

                if (row_load(store, &names[i], &row, &mine) < 0) {
                        if (failed)
                                report_error(&cli->report, err);
                        failed = true;
                        *err = mine;
                }
                if (!json && add_table_row(&table, &row, args->full, err) < 0)
                        return -1;
                if (json && row_json(&row, &object, err) < 0)
                        return -1;
                if (json && json_array_append_new(list, object) < 0)
                        return error_oom(err);
        }
        if ((json ? output_json(&cli->out, list, err) : table_print(&table, &cli->out, err)) < 0)
                return -1;
        return failed ? -1 : 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        const ImageListArgs *args = call->args;
        bool only_names = args->format && args->format[0] == 'n';
        StoreName *names;
        size_t n;
        int r;

        if (cli_open_store(cli, STORE_READ, &store, err) < 0 || store_names_list(store, &names, &n, err) < 0)
                return -1;
        if (args->quiet || only_names)
                r = print_names(cli, names, n, !only_names, err);
        else
                r = print_rows(cli, store, names, n, args, err);
        store_names_free(names, n);
        return r;
}

const Command cmd_image_list = {
        .name = "image list",
        .alias = "images",
        .group = COMMANDS_IMAGES,
        .summary = "list the images of the store",
        .description = "SIZE is that of the blobs as they are kept, compressed.",
        .examples = "proxmox-lxcri image list\nproxmox-lxcri image list --format json | jq -r '.[].name'",
        .options = (const Option *const[]) { image_list_options, NULL },
        .args_size = sizeof(ImageListArgs),
        .run = run,
};
